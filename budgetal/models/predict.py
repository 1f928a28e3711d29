"""Running a network over images, reading and resizing the next batch while it computes this one."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budgetal.data.parallel import prefetched
from budgetal.models.classifier import Classifier
from budgetal.models.compute import autocast
from budgetal.models.preprocess import to_input
from budgetal.types import PixelSource, RowArray

OnProgress = Callable[[int, int], None]
Views = Literal[1, 2]


def embed(
    classifier: Classifier,
    pixels: PixelSource,
    *,
    side: int,
    batch: int = 256,
    on_progress: OnProgress | None = None,
    views: Views = 1,
) -> NDArray[np.float32]:
    """Features (n, d) float32 of every image, by row.

    `views=2` averages the features of each image and its mirror image, at twice the cost.
    `on_progress(done, total)` is called after each batch.
    """
    classifier.eval()
    features = np.empty((len(pixels), classifier.width), np.float32)
    done = 0
    for images in inputs(classifier, pixels, batches(len(pixels), batch), side):
        features[done : done + len(images)] = features_of(classifier, images, views).cpu().numpy()
        done += len(images)
        if on_progress:
            on_progress(done, len(pixels))
    return features


def features_of(classifier: Classifier, images: Tensor, views: Views = 1) -> Tensor:
    """Features (n, d) float32 of network inputs (n, 3, side, side), in the fastest precision."""
    with torch.inference_mode(), autocast(classifier.device):
        features = classifier.embed(images).float()
        if views == 2:
            features = (features + classifier.embed(images.flip(3)).float()) / 2
    return features


def inputs(classifier: Classifier, pixels: PixelSource, rows: list[RowArray], side: int) -> Iterator[Tensor]:
    """Network inputs of the batches `rows`, prepared ahead of their use."""
    expected = classifier.normalisation

    def load(batch: RowArray) -> Tensor:
        return to_input(pixels.read(batch), side, expected.mean, expected.std).to(classifier.device)

    return prefetched(rows, load)


def batches(n: int, batch: int) -> list[RowArray]:
    """Rows 0 to n-1 in parts of at most `batch`."""
    return [np.arange(start, min(start + batch, n)) for start in range(0, n, batch)]
