"""Domain adaptation: labelled images of a source teach too, and its features are to be distributed as the pool's."""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from budgetal.models.classifier import Classifier
from budgetal.models.preprocess import as_tensor, to_input
from budgetal.training.augment import random_crop_flip
from budgetal.types import PixelSource, RowArray

Discrepancy = Literal["ddc", "mmd"]
# Of the discrepancy in the loss, as Tzeng et al. found best.
WEIGHT = 0.25
BATCH = 32
# Kernel widths around the median distance; several, since none is best for all features (Gretton et al., NeurIPS 2012).
WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
CROP_SHARE = 0.125


@dataclass(frozen=True)
class Source:
    """Labelled images of another collection. targets: (s,) of the project's classes."""

    pixels: PixelSource
    targets: RowArray


def mean_discrepancy(one: Tensor, other: Tensor) -> Tensor:
    """‖mean one − mean other‖² of features (n, d) and (k, d): MMD² with a linear kernel.

    Tzeng et al., "Deep Domain Confusion", 2014, equation 1, squared.
    """
    return (one.mean(dim=0) - other.mean(dim=0)).square().sum()


def kernel_discrepancy(one: Tensor, other: Tensor) -> Tensor:
    """MMD² (biased, >= 0) of features (n, d) and (k, d) by Gaussian kernels, the mean over five widths.

    k(x, y) = exp(−‖x − y‖² / (w M)), M the median squared distance of all pairs, held fixed. Gretton et al., JMLR 2012.
    """
    both = torch.cat([one, other])
    squares = (both[:, None] - both[None]).square().sum(dim=2)
    median = squares.detach()[~torch.eye(len(both), dtype=torch.bool, device=both.device)].median().clamp(min=1e-12)
    kernel = torch.stack([torch.exp(-squares / (width * median)) for width in WIDTHS]).mean(dim=0)
    n = len(one)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


@dataclass(frozen=True)
class AdaptationTerm:
    """Cross-entropy of source images plus 0.25 times how far their features are from the pool's.

    Pool images come without labels and are drawn from all of them, so nothing tells which are in the audit.
    """

    source: Source
    pixels: PixelSource
    side: int
    mirror: bool
    discrepancy: Discrepancy
    state: nn.Module = field(default_factory=nn.Module)
    batch: int = BATCH

    @property
    def n_steps(self) -> int:
        """An epoch is one pass over the source."""
        return math.ceil(len(self.source.targets) / self.batch)

    def draw(self, n_steps: int, rng: np.random.Generator) -> list[RowArray]:
        """For each step `batch` positions in the source, then as many rows of the pool, with replacement."""
        source = rng.integers(len(self.source.targets), size=(n_steps, self.batch))
        pool = rng.integers(len(self.pixels), size=(n_steps, self.batch))
        return list(np.concatenate([source, pool], axis=1))

    def load(self, drawn: RowArray, classifier: Classifier, rng: torch.Generator) -> Tensor:
        """Source images, then pool images, each crop and mirror image at random."""
        both = ((self.source.pixels, drawn[: self.batch]), (self.pixels, drawn[self.batch :]))
        return torch.cat([self._images(pixels, rows, classifier, rng) for pixels, rows in both])

    def _images(self, pixels: PixelSource, rows: RowArray, classifier: Classifier, rng: torch.Generator) -> Tensor:
        images = as_tensor(pixels.read(rows))
        augmented = random_crop_flip(images, rng, pad=round(CROP_SHARE * images.shape[1]), flip=self.mirror)
        expected = classifier.normalisation
        return to_input(augmented.numpy(), self.side, expected.mean, expected.std)

    def loss(self, drawn: RowArray, features: Tensor, logits: Tensor) -> Tensor:
        """The loss of source images, and of the two collections' being apart."""
        targets = torch.from_numpy(self.source.targets[drawn[: self.batch]]).to(logits.device)
        apart = mean_discrepancy if self.discrepancy == "ddc" else kernel_discrepancy
        return F.cross_entropy(logits[: self.batch], targets) + WEIGHT * apart(
            features[: self.batch], features[self.batch :]
        )
