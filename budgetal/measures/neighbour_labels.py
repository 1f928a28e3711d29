"""What the labels of an image's nearest labelled neighbours say of a class that it was given."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.neighbours import knn
from budgetal.measures.rows import CentredRows, mean_vector

_POWER = 3
_CELLS = 4_194_304


def neighbour_support(
    embeddings: Float[Tensor, "n d"],
    targets: Int[Tensor, " n"],
    labelled: Int[Tensor, " l"],
    labels: Int[Tensor, " l"],
    n_classes: int,
    k: int = 10,
) -> tuple[Float[Tensor, " n"], Int[Tensor, " n"]]:
    """How far the k nearest labelled images agree with each target, in [0, 1], and the class that most of them have.

    A neighbour's vote weighs max(0, cos)³ of the embeddings less their mean, as in k-NN classification with label
    propagation's affinity (Iscen et al. 2019). labelled: rows, ascending; labels: their classes. A row is not its own
    neighbour. Where no neighbour has any weight: 0 and -1. O(n l d) time, O(n k) memory.
    """
    similarities, rows = knn(CentredRows(embeddings, mean_vector(embeddings)), k, labelled)
    weights = similarities.clamp(min=0).pow(_POWER)
    given = labels[torch.searchsorted(labelled, rows)]
    total = weights.sum(dim=1)
    agreeing = (weights * (given == targets[:, None])).sum(dim=1)
    support = torch.where(total > 0, agreeing / total.where(total > 0, torch.ones_like(total)), 0.0)
    return support, torch.where(total > 0, _most_voted(weights, given, n_classes), -1)


def _most_voted(weights: Tensor, given: Tensor, n_classes: int) -> Tensor:
    blocks = zip(*(torch.split(part, max(1, _CELLS // n_classes)) for part in (weights, given)), strict=True)
    return torch.cat([_votes(weight, classes, n_classes).argmax(dim=1) for weight, classes in blocks])


def _votes(weights: Tensor, given: Tensor, n_classes: int) -> Tensor:
    return torch.zeros(len(weights), n_classes).scatter_add_(1, given, weights)
