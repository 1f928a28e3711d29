"""Held-out logits of every human label, by K-fold cross-fitting of the head."""

import numpy as np
from numpy.typing import NDArray

from budgetal.training.head import Floats, Head, fit_head


def crossfit(
    embeddings: Floats,
    targets: NDArray[np.int64],
    n_classes: int,
    *,
    l2: float,
    mean: Floats,
    std: Floats,
    folds: int,
    rng: np.random.Generator,
) -> tuple[Floats, Head]:
    """Logits (n, m) of each example from a head fitted on the other folds, and the folds' average head.

    The average is close to the optimum on all examples, so it is where the final fit starts. Folds are
    random, from `rng`. Raises ValueError for fewer examples than folds or fewer than two folds.
    """
    if not 2 <= folds <= len(targets):
        raise ValueError(f"Cannot make {folds} folds of {len(targets)} examples")
    fold = rng.permutation(np.arange(len(targets)) % folds)
    logits = np.empty((len(targets), n_classes), np.float32)
    heads: list[Head] = []
    for number in range(folds):
        held_out = fold == number
        weights = (~held_out).astype(np.float32)
        start = heads[-1] if heads else None
        head, _ = fit_head(embeddings, targets, weights, n_classes, l2=l2, mean=mean, std=std, start=start)
        logits[held_out] = head.logits(embeddings[held_out])
        heads.append(head)
    return logits, _average(heads)


def _average(heads: list[Head]) -> Head:
    weight = np.stack([head.weight for head in heads]).mean(axis=0)
    bias = np.stack([head.bias for head in heads]).mean(axis=0)
    return Head(np.asarray(weight), np.asarray(bias), heads[0].mean, heads[0].std)
