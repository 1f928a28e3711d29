"""Which images a model is sure enough of to label them itself, by entropy alone: no guarantee comes with it."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.uncertainty import entropy


def high_confidence(probs: Float[Tensor, "n classes"], threshold: float) -> Int[Tensor, " k"]:
    """Rows whose entropy -Σ p log p is below `threshold` nats, lowest row first.

    CEAL, Wang et al., IEEE TCSVT 2017: their labels are the likeliest classes, and they return to the pool after
    the round. A threshold of 0 takes nothing. Raises ValueError for a threshold that is negative or not finite,
    and when `probs` are no probabilities.
    """
    _check(threshold, "threshold")
    nats = entropy(probs) * math.log(probs.shape[1])
    return torch.nonzero(nats < threshold)[:, 0]


def decayed(threshold: float, rate: float, round: int) -> float:
    """δ - dr·t, never below 0: the threshold falls as the model grows sure, also where it is wrong.

    CEAL, Wang et al., IEEE TCSVT 2017, equation of the threshold update with dr = `rate` and t = `round`, 0 for
    the first. Its algorithm puts in the last round's δ each time, so that δ_t = δ_0 - dr t (t + 1) / 2; with δ_0 put
    in every time, δ falls in a straight line. Raises ValueError for a negative or non-finite argument.
    """
    for value, name in ((threshold, "threshold"), (rate, "rate"), (round, "round")):
        _check(value, name)
    return max(0.0, threshold - rate * round)


def _check(value: float, name: str) -> None:
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, but is {value}")
