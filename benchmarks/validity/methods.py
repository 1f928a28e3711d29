"""Who labels automatically at the end of a run: the alternatives, each from the same predictions and audit."""

from collections.abc import Callable, Mapping

import numpy as np

from budgetal.models.calibration import fit_temperature, softmax

CEAL_THRESHOLD, CEAL_DECAY = 0.05, 0.0033


def fixed(threshold: float) -> Callable[..., np.ndarray]:
    """Every image at or above a softmax confidence."""
    return lambda probs, *_: probs.max(axis=1) >= threshold


def ceal(probs: np.ndarray, _audit: np.ndarray, _truth: np.ndarray, _tolerance: float, round: int) -> np.ndarray:
    """Entropy below a threshold that decays by round (Wang et al. 2017; their values for CIFAR-size problems)."""
    entropy = -(probs * np.log(np.maximum(probs, 1e-12))).sum(axis=1)
    return entropy < CEAL_THRESHOLD - CEAL_DECAY * round


def temperature(probs: np.ndarray, audit: np.ndarray, truth: np.ndarray, tolerance: float, _round: int) -> np.ndarray:
    """Confidence at least 1 - tolerance after temperature scaling on the audit (Guo et al. 2017)."""
    logits = np.log(np.maximum(probs, 1e-12))
    return softmax(logits, fit_temperature(logits[audit], truth)).max(axis=1) >= 1 - tolerance


def naive(probs: np.ndarray, audit: np.ndarray, truth: np.ndarray, tolerance: float, _round: int) -> np.ndarray:
    """The lowest threshold at which the audit's share of errors is within the tolerance."""
    scores, wrong = probs[audit].max(axis=1), probs[audit].argmax(axis=1) != truth
    order = np.argsort(-scores)
    within = np.flatnonzero(np.cumsum(wrong[order]) <= tolerance * np.arange(1, len(order) + 1))
    return probs.max(axis=1) >= (scores[order[within.max()]] if len(within) else np.inf)


ALTERNATIVES: Mapping[str, Callable[..., np.ndarray]] = {
    "softmax ≥ 0.9": fixed(0.9),
    "softmax ≥ 0.95": fixed(0.95),
    "CEAL": ceal,
    "temperature, 1 − ε": temperature,
    "audit error ≤ ε": naive,
}
CERTIFIED, PER_CLASS = "certified", "certified by class"
METHODS = (CERTIFIED, PER_CLASS, *ALTERNATIVES)
