"""One round of head-only training: cross-fitted temperature, then the head on everything."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from budgetal.models.calibration import fit_temperature
from budgetal.training.crossfit import crossfit
from budgetal.training.head import Floats, Head, fit_head
from budgetal.types import EpochRecord, RowArray, TrainingSet

FOLDS = 5
# With fewer labels a temperature is noise; 1 is what the penalised fit is close to.
FEWEST_TO_CALIBRATE = 20
# Measured: on CIFAR-10 the best penalty was 0.1 at 500 labels, 0.03 at 2,000 and 0.02 at 5,000; MNIST likes half
# of that. Twice too much or too little costs less than half a point.
PENALTY = 1.5
# With a fifth of 500 labels of MNIST wrong, 16 times the penalty is right on 94.4 % in place of 89.2 %.
STRONGER = (4, 16)
# Standard errors, as in the rule of one standard error for pruned trees (Breiman et al. 1984).
CLEARLY = 1


def default_l2(n_human: int) -> float:
    """Strength of the penalty for `n_human` labels: 1.5 / sqrt(n)."""
    return PENALTY / math.sqrt(max(1, n_human))


@dataclass(frozen=True)
class _Crossfit:
    """A penalty, what heads with it say of the labels that they did not see, and where the fit on all may start."""

    l2: float
    logits: Floats
    start: Head


def fit_calibrated_head(
    embeddings: Floats,
    training_set: TrainingSet,
    mean: Floats,
    std: Floats,
    *,
    rng: np.random.Generator,
    on_epoch: Callable[[EpochRecord], None],
    l2: float | None = None,
    calibration: NDArray[np.bool_] | None = None,
) -> tuple[Head, float, tuple[EpochRecord, ...]]:
    """Head, temperature and epochs for the embeddings (n, d) of the training set's rows.

    The temperature comes from human labels only, each scored by a head that did not see it.
    l2: strength of the penalty; None: `default_l2`, or more where the labels demand it. calibration: (n_human,) which
    human labels set the temperature, where the features have seen the others; None: all of them.
    """
    n_human, n_classes = training_set.n_human, training_set.n_classes
    penalty = default_l2(n_human) if l2 is None else l2
    start, temperature = None, 1.0
    if n_human >= FEWEST_TO_CALIBRATE:
        human, answers = embeddings[:n_human], training_set.targets[:n_human]

        def fitted(l2: float) -> _Crossfit:
            # A copy, so that all penalties are compared on the same folds.
            folds: dict[str, Any] = {"folds": FOLDS, "rng": copy.deepcopy(rng)}
            return _Crossfit(l2, *crossfit(human, answers, n_classes, l2=l2, mean=mean, std=std, **folds))

        found = fitted(penalty) if l2 is not None else _as_strong_as_needed(fitted, penalty, answers)
        penalty, start = found.l2, found.start
        temperature = _temperature(found.logits, answers, calibration)
    head, records = fit_head(
        embeddings,
        training_set.targets,
        training_set.weights,
        n_classes,
        l2=penalty,
        mean=mean,
        std=std,
        start=start,
        on_epoch=on_epoch,
    )
    return head, temperature, records


def _as_strong_as_needed(fitted: Callable[[float], _Crossfit], l2: float, answers: RowArray) -> _Crossfit:
    """The penalty l2, or several times that as long as held-out labels are clearly more likely then.

    They are where many labels are wrong: a weak penalty lets the head follow each of them.
    """
    best = fitted(l2)
    for times in STRONGER:
        other = fitted(l2 * times)
        gain = _surprise(best.logits, answers) - _surprise(other.logits, answers)
        if gain.mean() <= CLEARLY * gain.std(ddof=1) / math.sqrt(len(gain)):
            break
        best = other
    return best


def _surprise(logits: Floats, answers: RowArray) -> NDArray[np.float64]:
    """(n,) negative log-likelihood of each answer, at the temperature that suits these logits best."""
    scaled = logits.astype(np.float64) / fit_temperature(logits, answers)
    return np.asarray(logsumexp(scaled, axis=1) - scaled[np.arange(len(answers)), answers])


def _temperature(logits: Floats, answers: RowArray, calibration: NDArray[np.bool_] | None) -> float:
    if calibration is not None and calibration.sum() >= FEWEST_TO_CALIBRATE:
        logits, answers = logits[calibration], answers[calibration]
    return fit_temperature(logits, answers)
