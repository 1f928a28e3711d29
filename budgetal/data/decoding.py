"""Decode every sample once: to find the broken ones and, with a cache, to keep the pixels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.data.images import decode
from budgetal.data.parallel import ordered_map
from budgetal.data.pixels import FilePixels, read_sample
from budgetal.errors import DataError
from budgetal.types import PixelSource, Sample


@dataclass(frozen=True)
class Broken:
    """Why a sample has no image; not lasting when its file could not be read just now."""

    reason: str
    is_lasting: bool


@dataclass(frozen=True)
class Decoded:
    """Pixels of the samples that could be decoded, in their order, and why the others could not.

    broken: by sample id.
    """

    pixels: PixelSource
    broken: Mapping[str, Broken]


def decode_each(
    root: Path, samples: tuple[Sample, ...], side: int
) -> Iterator[tuple[Sample, NDArray[np.uint8] | Broken]]:
    """Yield each sample, in order, with its image (side, side, 3) or why there is none."""

    def attempt(sample: Sample) -> tuple[Sample, NDArray[np.uint8] | Broken]:
        return sample, _attempt(root, sample, side)

    return ordered_map(attempt, samples)


def decode_on_read(root: Path, samples: tuple[Sample, ...], side: int) -> Decoded:
    """Decode once to find the broken files, keep no pixels, and decode again on each read."""
    broken = {
        sample.sample_id: result for sample, result in decode_each(root, samples, side) if isinstance(result, Broken)
    }
    return Decoded(file_pixels(root, samples, side, broken), broken)


def file_pixels(root: Path, samples: tuple[Sample, ...], side: int, broken: Mapping[str, Broken]) -> FilePixels:
    """Pixels, decoded on read, of the samples that are not broken."""
    return FilePixels(root, tuple(sample for sample in samples if sample.sample_id not in broken), side)


def _attempt(root: Path, sample: Sample, side: int) -> NDArray[np.uint8] | Broken:
    try:
        content = read_sample(root, sample)
    except DataError as error:
        return Broken(str(error), is_lasting=False)
    try:
        return decode(content, side)
    except DataError as error:
        return Broken(str(error), is_lasting=True)
