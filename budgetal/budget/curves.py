"""Falling curves against the number of labels, as many as needed to say how sure they are.

A curve is y(n) = c + α n^-γ e^(-n/k): the truncated power law of MCAL (Qiu et al. 2023, after Hestness et al. 2017 and
Rosenfeld et al. 2020), over a floor c ≥ 0 that the law of the paper does not have. With γ ≥ 0 and k > 0 it never rises.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

DECAY = (0.5, 0.4)
"""Mean and standard deviation of γ before anything is seen: learning curves of image classifiers have 0.1 to 1."""
TRUNCATION = (0.05, 0.1)
"""The same of n/k at the last round."""
SHARE_WITH_FLOOR = 0.5
HIGHEST_FLOOR = 0.9
PARTS = ((0, 1, 2), (0, 1), (0, 2), (0,))
"""Which of (log α, γ, 1/k) are free: where a bound is active, the parameter at it is 0."""


@dataclass(frozen=True)
class Curves:
    """B curves, each shifted by its `deviation` in log odds: how far the rounds to come lie from it.

    In units of `scale` labels: log_level is log(y - c) there, decay γ, truncation scale / k; all (b,).
    """

    scale: float
    floor: Floats
    log_level: Floats
    decay: Floats
    truncation: Floats
    deviation: Floats

    def __call__(self, n_labels: Floats) -> Floats:
        """Values at n_labels (q,), each at least 1: (b, q), at most 1."""
        x = np.maximum(np.asarray(n_labels, dtype=np.float64), 1.0) / self.scale
        falling = self.log_level[:, None] - np.outer(self.decay, np.log(x)) - np.outer(self.truncation, x - 1)
        return shifted(np.minimum(self.floor[:, None] + np.exp(falling), 1.0), self.deviation[:, None])

    def deviating(self, deviation: Floats) -> "Curves":
        """The same curves with another deviation, (b,)."""
        return replace(self, deviation=deviation)

    @property
    def law(self) -> dict[str, float | None]:
        """α, γ and k of the first curve in labels; k is None where nothing is truncated."""
        gamma, inverse_k = float(self.decay[0]), float(self.truncation[0]) / self.scale
        log_alpha = float(self.log_level[0]) + gamma * np.log(self.scale) + self.truncation[0]
        return {"alpha": float(np.exp(log_alpha)), "gamma": gamma, "k": 1 / inverse_k if inverse_k > 0 else None}


def shifted(shares: Floats, deviation: Floats) -> Floats:
    """Shares in [0, 1] whose log odds are moved by `deviation`; 0 and 1 stay."""
    odds = np.exp(deviation)
    moved: Floats = shares * odds / (1 - shares + shares * odds)
    return moved


def fit(n_labels: Floats, values: Floats, weights: Floats) -> Curves:
    """One curve without floor through values (r,) > 0 at n_labels (r,): the likeliest under the priors above.

    weights: (r,) 1 / variance of the logarithm of each value.
    """
    prior = np.array([[0.0, DECAY[0], TRUNCATION[0]]])
    return _fitted(n_labels, values[None], np.zeros(1), weights, prior)


def fit_each(n_labels: Floats, values: Floats, weights: Floats, rng: np.random.Generator) -> Curves:
    """A curve for each row of values (b, r): draws of what the curve may be.

    Each has a prior of its own drawn (with the row's noise this samples the posterior: randomise, then optimise), and
    half of them a floor drawn below the lowest value, so the draws are of two families.
    """
    b = len(values)
    prior = np.stack([np.zeros(b), np.abs(rng.normal(*DECAY, b)), np.abs(rng.normal(*TRUNCATION, b))], axis=1)
    has_floor = rng.random(b) < SHARE_WITH_FLOOR
    floor = np.where(has_floor, HIGHEST_FLOOR * rng.random(b), 0.0) * values.min(axis=1)
    return _fitted(n_labels, values, floor, weights, prior)


def _fitted(n_labels: Floats, values: Floats, floor: Floats, weights: Floats, prior: Floats) -> Curves:
    scale = float(n_labels[-1])
    x = n_labels / scale
    features = np.stack([np.ones(len(x)), -np.log(x), 1 - x], axis=1)
    best = _least_squares(features, np.log(values - floor[:, None]), weights, prior)
    return Curves(scale, floor, best[:, 0], best[:, 1], best[:, 2], np.zeros(len(values)))


def _least_squares(features: Floats, targets: Floats, weights: Floats, prior: Floats) -> Floats:
    """argmin Σ w (t - Xθ)² + Σ ((θ - prior) / deviation)² over θ₁, θ₂ ≥ 0: (b, 3), exact.

    With two bounds there are four cases; the best feasible one is the optimum of the convex problem.
    """
    precision = np.array([0.0, 1 / DECAY[1] ** 2, 1 / TRUNCATION[1] ** 2])
    best, lowest = np.zeros((len(targets), 3)), np.full(len(targets), np.inf)
    for part in PARTS:
        free = list(part)
        some = features[:, free]
        left = (some * weights[:, None]).T @ some + np.diag(precision[free])
        right = (targets * weights) @ some + precision[free] * prior[:, free]
        found = np.zeros_like(best)
        found[:, free] = np.linalg.solve(left, right.T).T
        loss = (weights * (targets - found @ features.T) ** 2).sum(axis=1)
        loss += (precision * (found - prior) ** 2).sum(axis=1)
        better = (found[:, 1:] >= 0).all(axis=1) & (loss < lowest)
        best[better], lowest[better] = found[better], loss[better]
    return best
