"""How good predictions are: accuracy, loss, calibration area under the curve. Arrays only."""

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray


def accuracy(targets: ArrayLike, predictions: ArrayLike) -> float:
    """Share of predictions that equal their target, in [0, 1].

    targets, predictions: (n,). Raises ValueError when n is 0 or the lengths differ.
    """
    true, predicted = _pair(targets, predictions)
    return float((true == predicted).mean())


def confusion_matrix(targets: ArrayLike, predictions: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Counts of (true class, predicted class), shape (n_classes, n_classes), rows are true classes.

    targets, predictions: (n,) class indices, n may be 0. Raises ValueError for a class out of range.
    """
    true, predicted = _pair(targets, predictions, may_be_empty=True)
    pairs = np.stack([true, predicted]).astype(np.int64)
    _check_classes(pairs, n_classes)
    flat = np.bincount(pairs[0] * n_classes + pairs[1], minlength=n_classes**2)
    return flat.reshape(n_classes, n_classes).astype(np.int64)


def log_loss(probs: ArrayLike, targets: ArrayLike) -> float:
    """Mean negative log-likelihood, -1/n sum_i log p_i[y_i], in nats.

    probs: (n, classes), rows sum to 1; targets: (n,). A probability of 0 counts as the smallest normal
    float64, so that one certain error costs 708 nats rather than hiding all the others in an infinity.
    """
    distributions, true = _distributions(probs, targets)
    chosen = distributions[np.arange(len(true)), true]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).mean())


def expected_calibration_error(probs: ArrayLike, targets: ArrayLike, n_bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal-width bins of confidence, weighted by size.

    sum_b n_b/n |accuracy_b - confidence_b|; bins are (low, high]. Guo et al., ICML 2017.
    probs: (n, classes); targets: (n,). Raises ValueError when n is 0 or n_bins is below 1.
    """
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, not {n_bins}")
    distributions, true = _distributions(probs, targets)
    confidence = distributions.max(axis=1)
    surplus = confidence - (distributions.argmax(axis=1) == true)
    bins = np.clip(np.ceil(confidence * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
    return float(np.abs(np.bincount(bins, weights=surplus)).sum() / len(true))


def wilson_interval(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided score interval for a proportion seen as k of n; (0, 1) when n is 0.

    Wilson, JASA 1927. Raises ValueError unless 0 <= k <= n and 0 < level < 1.
    """
    if not (0 <= k <= n and 0 < level < 1):
        raise ValueError(f"need 0 <= k <= n and 0 < level < 1, not k={k}, n={n}, level={level}")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * float(np.sqrt(k * (n - k) / n + z * z / 4))
    # At k = 0 and k = n the interval touches the end exactly; rounding must not move it past k/n.
    return (0.0 if k == 0 else centre - half), (1.0 if k == n else centre + half)


def area_under_learning_curve(n_labels: ArrayLike, accuracy: ArrayLike) -> float:
    """Mean accuracy over the range of label counts: the trapezoid area divided by the range.

    n_labels: (r,) strictly increasing; accuracy: (r,). One point is its own mean.
    Raises ValueError when r is 0, the lengths differ, or n_labels does not increase.
    """
    counts, heights = (np.asarray(values, dtype=np.float64) for values in _pair(n_labels, accuracy))
    if (np.diff(counts) <= 0).any():
        raise ValueError(f"n_labels must increase, not {counts.tolist()}")
    if len(counts) == 1:
        return float(heights[0])
    return float(np.trapezoid(heights, counts) / (counts[-1] - counts[0]))


def _pair(
    first: ArrayLike, second: ArrayLike, may_be_empty: bool = False
) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    one, other = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != other.shape:
        raise ValueError(f"need two lists of one length, not shapes {one.shape} and {other.shape}")
    if len(one) == 0 and not may_be_empty:
        raise ValueError("cannot measure an empty list: check that something was labelled first")
    return one, other


def _distributions(probs: ArrayLike, targets: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    distributions = np.asarray(probs, dtype=np.float64)
    true = np.asarray(targets, dtype=np.int64)
    if distributions.ndim != 2 or true.shape != distributions.shape[:1] or len(true) == 0:
        raise ValueError(f"need (n, classes) and (n,), n > 0, not {distributions.shape} and {true.shape}")
    if not np.isfinite(distributions).all():
        raise ValueError("probs hold a value that is not finite: the model that made them is broken")
    _check_classes(true, distributions.shape[1])
    return distributions, true


def _check_classes(classes: NDArray[np.int64], n_classes: int) -> None:
    if ((classes < 0) | (classes >= n_classes)).any():
        raise ValueError(f"classes must be 0 to {n_classes - 1}, not {classes.min()} to {classes.max()}")
