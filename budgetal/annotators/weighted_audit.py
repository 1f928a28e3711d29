"""An audit that goes where errors are likely: drawn by weight, and judged after each answer.

Images are drawn one after another without replacement, each with a chance in proportion to its weight among those that
are left. What is known of the whole collection then follows from betting: Shekhar, Xu, Lipton, Liang & Ramdas, "Risk-
limiting financial audits via weighted sampling without replacement", UAI 2023. Weights only have to be fixed before
the draw: poor ones cost labels, never the promise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from budgetal.types import RowArray

# Who changes one of these changes what recorded certificates come to: projects that began with the old ones keep them.
LEAST_ERROR = 0.3
"""No image counts as less likely to be wrong than this times the mean: a model is never that sure of its sureness."""
UNIFORM_SHARE = 0.4
"""Share of the chance that is the same for all images, which bounds what a single surprise can cost."""
N_HYPOTHESES = 4096
"""Numbers of wrong images that are told apart."""
PRIOR_SHARE = 0.2
"""Draws, as a share of the planned ones, that the variance expected of the model's scores counts for."""
MOST_BET = 0.9
"""Of the bet that one surprise could lose everything by."""
EARLY_SHARE = 0.1
"""Of the capital, to grow as fast as it can: where the tolerance is kept by far, that shows it long before the end."""
LEAST_PRICE = 1e-250
"""So that the quantile of a hopeless bet is a number."""


def sampling_weights(expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) chances of the first draw, from how likely each of n images is to be wrong: they sum to 1.

    The variance of the weighted estimate is least for weights in proportion to the root of the chance of an error
    (Neyman, 1934), were these known.
    """
    weights = np.sqrt(np.maximum(expected, LEAST_ERROR * max(float(expected.mean()), 1e-6)))
    mixed: NDArray[np.float64] = (1 - UNIFORM_SHARE) * weights / weights.sum() + UNIFORM_SHARE / len(weights)
    return mixed


def draw(weights: NDArray[np.float64], n: int, rng: np.random.Generator) -> RowArray:
    """Positions of up to n images in the order in which they are drawn, without replacement.

    The order of exponential waiting times with these rates (Efraimidis & Spirakis, 2006).
    """
    waiting = rng.exponential(size=len(weights)) / weights
    return np.argsort(waiting, kind="stable")[:n].astype(np.int64)


def most_wrong(
    expected: NDArray[np.float64], drawn: RowArray, wrong: NDArray[np.bool_], n_planned: int, risk: float
) -> int:
    """Largest number of wrong images in the population that the draw does not refute.

    expected: (N,) as for `sampling_weights`, which the images were drawn by; drawn: (t,) their positions in order;
    wrong: (t,) the answers; n_planned: draws that the bets are tuned to, fixed before the first. With probability at
    least 1 - risk it is at or above the true number after every draw at once (Ville's inequality), so one may look
    after each and stop when one likes. O(N + t N_HYPOTHESES). Raises ValueError on arrays that do not fit.

    Under the hypothesis that M are wrong, M - e are left after e errors. An image that was drawn with chance q and is
    wrong says z = 1 / q, a right one z = 0: in the mean M - e. One bets that z is less: the capital, 1 at first, is
    multiplied by 1 + λ (M - e - z) with 0 ≤ λ ≤ 1 / (greatest z - M + e), so it is never negative and a martingale.
    M is refuted once it reaches 1 / risk. λ hedges a digital option that pays 1 / risk at the planned end, in the
    normal approximation, which refutes nearly as much as the normal approximation itself would: compare Voráček &
    Orabona, "STaR-Bets", 2025. The hypotheses are a grid; each also stands for all up to the next one, since for more
    errors the same bets win more.
    """
    if not len(drawn) == len(wrong) <= len(expected):
        raise ValueError(f"impossible draw: {len(wrong)} answers, {len(drawn)} of {len(expected)} images")
    hypotheses = _grid(len(expected))
    unrefuted = _unrefuted(hypotheses.astype(np.float64), _steps(expected, drawn, wrong, n_planned), n_planned, risk)
    errors, most = int(wrong.sum()), len(expected) - len(wrong) + int(wrong.sum())
    if not unrefuted.any():
        return errors
    last = int(np.flatnonzero(unrefuted)[-1])
    worst = int(hypotheses[last + 1]) - 1 if last + 1 < len(hypotheses) else len(expected)
    return min(max(worst, errors), most)


def _grid(n: int) -> NDArray[np.int64]:
    """Numbers of wrong images from 0 to n, closer together where they are few."""
    shares = np.linspace(0, 1, min(n + 1, N_HYPOTHESES)) ** 2
    return np.unique(np.floor(n * shares).astype(np.int64))


@dataclass(frozen=True)
class _Step:
    """One draw. z: what it says of the errors left; greatest: what it could have said.

    estimate, variance: of all errors and of what one draw says of them, by the draws before it.
    """

    z: float
    greatest: float
    estimate: float
    variance: float
    errors_before: int


def _steps(expected: NDArray[np.float64], drawn: RowArray, wrong: NDArray[np.bool_], n_planned: int) -> Iterator[_Step]:
    weights = sampling_weights(expected)
    least, left, errors = float(weights.min()), 1.0, 0
    mean = float(expected.sum())
    # Scores say what variance to expect; answers take over as they come.
    n_counted = PRIOR_SHARE * n_planned
    squares = n_counted * max(float((expected / weights).sum()) - mean**2, 0.0)
    total = n_counted * mean
    for weight, is_wrong in zip(weights[drawn].tolist(), wrong.tolist(), strict=True):
        z = left / weight if is_wrong else 0.0
        yield _Step(z, left / least, total / n_counted, squares / n_counted, errors)
        # z and the errors found before estimate all of them.
        squares += (z + errors - total / n_counted) ** 2
        n_counted, total = n_counted + 1, total + z + errors
        left, errors = left - weight, errors + is_wrong


def _unrefuted(
    hypotheses: NDArray[np.float64], steps: Iterator[_Step], n_planned: int, risk: float
) -> NDArray[np.bool_]:
    """(k,) which numbers of wrong images no bet has refuted."""
    # In units of 1 / risk: one part hedges the planned end, the other grows.
    prices = risk * np.repeat([[1 - EARLY_SHARE], [EARLY_SHARE]], len(hypotheses), axis=1)
    open_ = np.arange(len(hypotheses))
    for t, step in enumerate(steps):
        expected_z = hypotheses[open_] - step.errors_before
        prices = prices * (1 + _bets(prices[0], expected_z, step, max(1, n_planned - t)) * (expected_z - step.z))
        going_on = prices.sum(axis=0) < 1
        prices, open_ = prices[:, going_on], open_[going_on]
    unrefuted = np.zeros(len(hypotheses), dtype=bool)
    unrefuted[open_] = True
    return unrefuted


def _bets(price: NDArray[np.float64], expected_z: NDArray[np.float64], step: _Step, n_left: int) -> NDArray[np.float64]:
    """λ of both parts for each hypothesis: (2, k).

    What the option's value, `price`, gains by one unit of z, as a share of that value; and what grows fastest if the
    errors are as many as was estimated (GRAPA, Waudby-Smith & Ramdas 2024).
    """
    price = np.clip(price, LEAST_PRICE, 1 - 1e-9)
    distance = -ndtri(price)
    density = np.exp(-(distance**2) / 2) / math.sqrt(2 * math.pi)
    hedge = density / (price * math.sqrt(max(step.variance * n_left, 1e-12)))
    ahead = np.maximum(expected_z + step.errors_before - step.estimate, 0)
    growing = ahead / np.maximum(step.variance + ahead**2, 1e-12)
    # A hypothesis of more errors than any draw can speak of is impossible: the most certain bet refutes it.
    return np.minimum(np.stack([hedge, growing]), MOST_BET / np.maximum(step.greatest - expected_z, 1e-9))
