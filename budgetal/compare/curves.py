"""Learning curves of many seeds: put on common budgets, averaged, summed up and compared. Arrays only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from budgetal.metrics import area_under_learning_curve

Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Curve:
    """One run's values (r,) at rising numbers of human labels (r,)."""

    n_human: Floats
    values: Floats

    def at(self, budgets: Floats) -> Floats:
        """Values at `budgets` (g,): straight lines between rounds, nothing beyond them (NaN)."""
        return np.interp(budgets, self.n_human, self.values, left=np.nan, right=np.nan)

    def labels_to(self, target: float) -> int | None:
        """Human labels at the first round that reached `target`; None: none did."""
        reached = np.flatnonzero(self.values >= target)
        return int(self.n_human[reached[0]]) if len(reached) else None


@dataclass(frozen=True)
class Band:
    """Mean with its 95 % interval, Student's t over seeds; low and high are None for one seed."""

    mean: float
    low: float | None
    high: float | None
    n: int


def band(values: Sequence[float]) -> Band:
    """Of one value a seed. Raises ValueError for none."""
    if not len(values):
        raise ValueError("a band needs one seed or more")
    mean, n = float(np.mean(values)), len(values)
    if n == 1:
        return Band(mean, None, None, 1)
    half = float(student_t.ppf((1 + LEVEL) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Band(mean, mean - half, mean + half, n)


def common_budgets(curves: Sequence[Curve]) -> Floats:
    """Every number of labels at which any curve has a round, where all curves have values; may be empty."""
    first = max(curve.n_human[0] for curve in curves)
    last = min(curve.n_human[-1] for curve in curves)
    every = np.unique(np.concatenate([curve.n_human for curve in curves]))
    return np.asarray(every[(every >= first) & (every <= last)], dtype=np.float64)


def area(curve: Curve, budgets: Floats) -> float:
    """Mean height of the curve from the first to the last of `budgets`."""
    return area_under_learning_curve(budgets, curve.at(budgets))
