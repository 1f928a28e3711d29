"""Collections made harder: half of them near-duplicates, or classes of very different sizes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.seeding import generator

IMBALANCE = 100.0
Images, Labels = NDArray[np.uint8], NDArray[np.int64]


def duplicated(images: Images, labels: Labels, rng: np.random.Generator) -> tuple[Images, Labels]:
    """Half of the images (n, …) twice: the second time with every value one up or down, so that no two are equal."""
    half = rng.permutation(len(images))[: len(images) // 2]
    change = rng.choice(np.array([-1, 1], dtype=np.int16), size=images[half].shape)
    copies = np.clip(images[half].astype(np.int16) + change, 0, 255).astype(np.uint8)
    return np.concatenate([images[half], copies]), np.concatenate([labels[half], labels[half]])


def imbalanced(images: Images, labels: Labels, rng: np.random.Generator) -> tuple[Images, Labels]:
    """Class k of m keeps n_0 · 100^(-k/(m-1)) images, n_0 being the smallest class's size: 100 to 1 in all."""
    classes = np.unique(labels)
    most = np.bincount(labels)[classes].min()
    keep = [
        rng.permutation(np.flatnonzero(labels == name))[: max(1, round(most * IMBALANCE ** (-k / (len(classes) - 1))))]
        for k, name in enumerate(classes)
    ]
    rows = np.sort(np.concatenate(keep))
    return images[rows], labels[rows]


MAKERS: Mapping[str, Callable[[Images, Labels, np.random.Generator], tuple[Images, Labels]]] = {
    "duplicates": duplicated,
    "imbalance": imbalanced,
}


def make_harder(variant: str, source: Path, target: Path, size: int | None = None) -> Path:
    """Write the variant of the collection in `source` to `target`, once, beside its unchanged test images.

    size: of the collection before it is changed, drawn at random; None: all of it.
    """
    if (target / "train" / "labels.npy").exists():
        return target
    rng = generator(0, 0, variant)
    images, labels = (np.load(source / "train" / f"{name}.npy") for name in ("images", "labels"))
    rows = np.sort(rng.permutation(len(labels))[:size])
    images, labels = MAKERS[variant](images[rows], labels[rows].astype(np.int64), rng)
    (target / "train").mkdir(parents=True, exist_ok=True)
    for name in ("classes.txt", "train/classes.txt"):
        if (source / name).exists():
            (target / "train" / "classes.txt").write_text((source / name).read_text())
    if (source / "test").is_dir() and not (target / "test").exists():
        (target / "test").symlink_to((source / "test").resolve())
    np.save(target / "train" / "images.npy", images)
    np.save(target / "train" / "labels.npy", labels)
    return target
