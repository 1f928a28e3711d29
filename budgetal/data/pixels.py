"""Pixel sources: rows of an array, and image files decoded when they are read."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.data.images import content_id, decode
from budgetal.data.parallel import ordered_map
from budgetal.errors import DataError
from budgetal.types import RowArray, Sample


@dataclass(frozen=True)
class ArrayPixels:
    """Images of an array (m, h, w) or (m, h, w, 1 or 3), uint8, possibly memory-mapped.

    Row i is `array[order[i]]`: the array keeps its own order on disk while rows follow the ids.
    """

    array: NDArray[np.uint8]
    order: RowArray

    def __len__(self) -> int:
        return len(self.order)

    def read(self, rows: RowArray) -> NDArray[np.uint8]:
        """Return images as uint8, shape (n, h, w, 3); grey is repeated."""
        images = self.array[self.order[rows]]
        if images.ndim == 3:
            images = images[..., None]
        if images.shape[3] == 1:
            return np.repeat(images, 3, axis=3)
        return np.asarray(images)


@dataclass(frozen=True)
class FilePixels:
    """Image files decoded by a pool of threads each time they are read; nothing is kept."""

    root: Path
    samples: tuple[Sample, ...]
    side: int

    def __len__(self) -> int:
        return len(self.samples)

    def read(self, rows: RowArray) -> NDArray[np.uint8]:
        """Return images as uint8, shape (n, side, side, 3).

        Raises DataError when a file is gone or is no longer the one that was indexed.
        """
        samples = [self.samples[row] for row in rows]
        images = np.empty((len(samples), self.side, self.side, 3), np.uint8)
        for i, image in enumerate(ordered_map(self._decode, samples)):
            images[i] = image
        return images

    def _decode(self, sample: Sample) -> NDArray[np.uint8]:
        return decode(read_sample(self.root, sample), self.side)


def read_sample(root: Path, sample: Sample) -> bytes:
    """Bytes of a sample's file, from the first of its copies that is still what was indexed.

    Raises DataError when none is.
    """
    for path in sample.paths:
        try:
            content = (root / path).read_bytes()
        except OSError:
            continue
        if content_id(content) == sample.sample_id:
            return content
    raise DataError(f"{sample.paths[0]} is gone or has changed since it was indexed: index the folder again")
