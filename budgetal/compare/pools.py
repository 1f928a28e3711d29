"""A random part of a collection as a collection of its own, for comparisons at a smaller scale."""

from pathlib import Path

import numpy as np

from budgetal.data.collection import Collection
from budgetal.data.sources import find_splits, load_collection
from budgetal.errors import ConfigError
from budgetal.seeding import generator

SIDE = 256
"""Pixels a side of images that come as files of different sizes."""


def draw_pool(place: str, size: int, folder: Path, data_root: str | None = None) -> Path:
    """Write `size` images of the collection at `place`, drawn uniformly, to `folder`; the same ones each time.

    Raises ConfigError where it has fewer, DataError where it cannot be read.
    """
    target = folder / "train"
    if (target / "classes.txt").exists():
        return folder
    found = load_collection(find_splits(place)[0], side=SIDE, data_root=data_root)
    if size > len(found.samples):
        raise ConfigError(f"Key 'pool_size' cannot be {size}: {place} has {len(found.samples)} images")
    rows = np.sort(generator(0, 0, "pool").choice(len(found.samples), size, replace=False))
    _write(found, rows, target)
    return folder


def _write(found: Collection, rows: np.ndarray[tuple[int], np.dtype[np.int64]], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    missing = next((found.samples[row].paths[0] for row in rows if found.samples[row].label is None), None)
    if missing is not None:
        raise ConfigError(f"A simulation needs a label for every image: {missing} has none")
    index = {name: number for number, name in enumerate(found.classes)}
    np.save(target / "images.npy", found.pixels.read(rows))
    np.save(target / "labels.npy", np.array([index[str(found.samples[row].label)] for row in rows]))
    # Last, since it says that the others are whole.
    (target / "classes.txt").write_text("\n".join(found.classes) + "\n", encoding="utf-8")
