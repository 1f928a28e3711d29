"""A head of one class more, "none of these", which learns from the answers that said so."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from budgetal.annotators.outliers import HIGHEST_THRESHOLD, Outliers, outlier_threshold
from budgetal.engine.comparison import Labelled, Standard
from budgetal.engine.head_round import FEWEST_TO_CALIBRATE, FOLDS, default_l2
from budgetal.models.calibration import softmax
from budgetal.training.crossfit import crossfit
from budgetal.training.head import Floats, Head


def score_outliers(features: Floats, known: Labelled, standard: Standard, rng: np.random.Generator) -> Outliers:
    """How probably each image of the pool is none of the classes, and from where on it is ruled out.

    features: (N, d), frozen; known: labelled images, target -1 for "none of these". The head is that of the classes
    with one outcome more: measured on MNIST it finds outliers that lie among the classes, where a distance or an
    energy does not, and strange ones as well (docs/results.md). Its threshold is set by cross-fitting.
    """
    labels, more = _with_none(known, standard)
    scores = _last(more.head(labels).logits(features))
    return Outliers(scores, _threshold(labels, more, rng))


def fit_outlier_head(known: Labelled, standard: Standard) -> Head:
    """The head by which `score_outliers` scores, of one outcome more than there are classes."""
    labels, more = _with_none(known, standard)
    return more.head(labels)


def _with_none(known: Labelled, standard: Standard) -> tuple[Labelled, Standard]:
    """The same labels with "none of these" as the last class."""
    targets = np.where(known.targets < 0, standard.n_classes, known.targets)
    return Labelled(known.features, targets), replace(standard, n_classes=standard.n_classes + 1)


def _threshold(labels: Labelled, standard: Standard, rng: np.random.Generator) -> float:
    if len(labels) < FEWEST_TO_CALIBRATE:
        return HIGHEST_THRESHOLD
    l2, mean, std = default_l2(len(labels)), standard.mean, standard.std
    examples = labels.features, labels.targets, standard.n_classes
    logits, _ = crossfit(*examples, l2=l2, mean=mean, std=std, folds=FOLDS, rng=rng)
    return outlier_threshold(_last(logits)[labels.targets < standard.n_classes - 1])


def _last(logits: Floats) -> NDArray[np.float32]:
    """The probability of the last outcome."""
    return np.ascontiguousarray(softmax(logits, 1.0)[:, -1])
