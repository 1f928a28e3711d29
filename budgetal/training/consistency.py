"""FixMatch and FlexMatch: a network's sure answer for an image is what it must say of the distorted image."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from budgetal.models.classifier import Classifier
from budgetal.models.preprocess import as_tensor, to_input
from budgetal.training.augment import random_crop_flip
from budgetal.training.distort import StrongDistortion
from budgetal.types import PixelSource, RowArray

THRESHOLD = 0.95
BATCH = 224
"""Images a step: seven times the labelled ones, as in the papers."""
CROP_SHARE = 0.125
UNKNOWN = -1


def consistency_loss(weak: Tensor, strong: Tensor, thresholds: Tensor) -> Tensor:
    """FixMatch's loss of unlabelled images: mean over n of [max q ≥ threshold of its class] CE(argmax q, strong).

    weak, strong: logits (n, m) of the images, little and strongly distorted; q = softmax(weak), which teaches and does
    not learn; thresholds: (m,). Sohn et al., NeurIPS 2020, equation 4.
    """
    best, classes = weak.detach().softmax(dim=1).max(dim=1)
    losses = F.cross_entropy(strong, classes, reduction="none")
    return (losses * (best >= thresholds[classes])).mean()


def flexible_thresholds(answers: Tensor, n_classes: int, threshold: float = THRESHOLD) -> Tensor:
    """FlexMatch's threshold (m,) of each class: τ β / (2 − β), lower for classes that are learnt less.

    answers: (N,) the last sure answer for each image, or -1. β_c = σ_c / max(max σ, number without an answer), where
    σ_c counts the answers c. Zhang et al., NeurIPS 2021, equations 5 to 11.
    """
    known = answers[answers != UNKNOWN]
    counts = torch.bincount(known, minlength=n_classes).float()
    most = max(float(counts.max()), float(len(answers) - len(known)))
    learnt = counts / max(most, 1.0)
    return threshold * learnt / (2 - learnt)


class _Answers(nn.Module):
    """The last sure answer for each of `n` images."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.register_buffer("answers", torch.full((n,), UNKNOWN, dtype=torch.int64))


@dataclass(frozen=True)
class ConsistencyTerm:
    """The loss of a whole pool's images, the labelled and those of the audit among them: nothing tells them apart.

    side: pixels a side of the network's input; mirror: whether mirror images keep their class; flexible: FlexMatch.
    """

    pixels: PixelSource
    side: int
    mirror: bool
    n_classes: int
    flexible: bool
    state: _Answers
    batch: int = BATCH

    @property
    def n_steps(self) -> int:
        """An epoch is one pass over the pool."""
        return math.ceil(len(self.pixels) / self.batch)

    def draw(self, n_steps: int, rng: np.random.Generator) -> list[RowArray]:
        """Rows of the pool in random order, in as many parts."""
        passes = [rng.permutation(len(self.pixels)) for _ in range(-(-n_steps // self.n_steps))]
        return np.array_split(np.concatenate(passes), n_steps)

    def load(self, drawn: RowArray, classifier: Classifier, rng: torch.Generator) -> Tensor:
        """The images little distorted, then the same ones strongly: (2 k, 3, side, side)."""
        images = as_tensor(self.pixels.read(drawn))
        weak = random_crop_flip(images, rng, pad=round(CROP_SHARE * images.shape[1]), flip=self.mirror)
        strong = StrongDistortion(self.mirror)(weak, rng)
        expected = classifier.normalisation
        return to_input(torch.cat([weak, strong]).numpy(), self.side, expected.mean, expected.std)

    def loss(self, drawn: RowArray, features: Tensor, logits: Tensor) -> Tensor:
        """FixMatch's or FlexMatch's loss; the latter remembers the sure answers."""
        weak, strong = logits.chunk(2)
        thresholds = torch.full((self.n_classes,), THRESHOLD, device=logits.device)
        if self.flexible:
            thresholds = flexible_thresholds(self.state.get_buffer("answers"), self.n_classes).to(logits.device)
            self._remember(drawn, weak.detach())
        return consistency_loss(weak, strong, thresholds)

    def _remember(self, drawn: RowArray, weak: Tensor) -> None:
        best, classes = weak.softmax(dim=1).max(dim=1)
        sure = (best >= THRESHOLD).cpu()
        self.state.get_buffer("answers")[torch.from_numpy(drawn)[sure]] = classes.cpu()[sure]


def consistency_term(
    pixels: PixelSource, side: int, *, mirror: bool, n_classes: int, flexible: bool
) -> ConsistencyTerm:
    """A term that has no answers yet."""
    return ConsistencyTerm(pixels, side, mirror, n_classes, flexible, _Answers(len(pixels)))
