"""From logits to probabilities that mean what they say."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from scipy.special import softmax as scipy_softmax

LOWEST, HIGHEST = 0.05, 20.0
CHUNK = 8192


def fit_temperature(logits: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Temperature that minimises the weighted negative log-likelihood of held-out labels.

    logits (n, m), labels (n,) in 0..m-1, weights (n,) >= 0 or None for equal ones. The result lies in
    [0.05, 20]: held-out labels that are all right would otherwise ask for 0, certainty.
    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    Raises ValueError for no label, a logit that is not finite, or no positive weight.
    """
    z = np.asarray(logits, np.float64)
    y = np.asarray(labels, np.int64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    if z.ndim != 2 or not len(z) == len(y) == len(w) or not w.sum() > 0:
        raise ValueError(f"Cannot calibrate on logits {z.shape}, {len(y)} labels of weight {w.sum()}")
    if not np.isfinite(z).all():
        raise ValueError("Cannot calibrate on logits that are not finite")

    def loss(log_temperature: float) -> float:
        scaled = z / math.exp(log_temperature)
        return float(w @ (logsumexp(scaled, axis=1) - scaled[np.arange(len(y)), y]))

    # In log T the loss has one minimum: it is convex in 1/T, and the map between them is monotone.
    found = minimize_scalar(loss, bounds=(math.log(LOWEST), math.log(HIGHEST)), method="bounded")
    return math.exp(float(found.x))


def softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float32]:
    """Probabilities (n, m) of logits (n, m) divided by the temperature; rows sum to 1."""
    if not temperature > 0:
        raise ValueError(f"A temperature is positive, not {temperature}")
    z = np.asarray(logits)
    probs = np.empty(z.shape, np.float32)
    for start in range(0, len(z), CHUNK):
        chunk = z[start : start + CHUNK].astype(np.float64) / temperature
        probs[start : start + CHUNK] = scipy_softmax(chunk, axis=1)
    return probs
