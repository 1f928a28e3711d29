"""A model of the strategy's labels and one of random labels, on the same images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from budgetal.engine.head_round import default_l2
from budgetal.training.head import Floats, Head, fit_head
from budgetal.types import RowArray

FOLDS = 5

Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Labelled:
    """Frozen features (n, d) of images and their classes (n,)."""

    features: Floats
    targets: RowArray

    def __len__(self) -> int:
        return len(self.targets)

    def part(self, rows: RowArray | Right) -> "Labelled":
        """Some of the images."""
        return Labelled(self.features[rows], self.targets[rows])

    def joined(self, other: "Labelled") -> "Labelled":
        """These images and then those."""
        features = np.concatenate([self.features, other.features])
        return Labelled(features, np.concatenate([self.targets, other.targets]))


@dataclass(frozen=True)
class Standard:
    """The pool's mean and deviation (d,) and the number of classes: what every head here shares."""

    mean: Floats
    std: Floats
    n_classes: int

    def head(self, labels: Labelled) -> Head:
        """A head of `labels`, each counting the same."""
        weights = np.ones(len(labels), np.float32)
        l2 = default_l2(len(labels))
        examples = labels.features, labels.targets, weights
        return fit_head(*examples, self.n_classes, l2=l2, mean=self.mean, std=self.std)[0]


def against_random(
    given: Labelled, chosen: Labelled, audit: Labelled, standard: Standard, rng: np.random.Generator
) -> tuple[Right, Right, int]:
    """Whether a head of `given` and `chosen` is right on each audit image, and one of random labels; how many of these.

    The random labels are the audit's own: each fifth of it is judged by a head of `given` and of as many
    labels of the other fifths as were chosen, or all of them where more were chosen. So a strategy is never
    held to a curve that nobody measured: with more labels than the random model it should be better still.
    """
    fold = rng.permutation(np.arange(len(audit)) % FOLDS)
    n_random = min(len(chosen), int(np.bincount(fold).min()) * (FOLDS - 1))
    random_right = np.empty(len(audit), dtype=bool)
    for number in range(FOLDS):
        others = rng.permutation(np.flatnonzero(fold != number))[:n_random]
        tested = fold == number
        random_right[tested] = _right(standard.head(given.joined(audit.part(others))), audit.part(tested))
    return _right(standard.head(given.joined(chosen)), audit), random_right, n_random


def _right(head: Head, images: Labelled) -> Right:
    right: Right = head.logits(images.features).argmax(axis=1) == images.targets
    return right
