"""A folder with `images.npy`, and `labels.npy` and `classes.txt` where they exist."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budgetal.data.arrays import collect_array
from budgetal.data.collection import Collection
from budgetal.errors import DataError


def load_npy(folder: Path, labelled: bool) -> Collection:
    """Load `folder/images.npy`, uint8 (n, h, w) or (n, h, w, 1 or 3), memory-mapped.

    `labels.npy` holds class numbers or names, one an image; `classes.txt`, here or in the parent folder,
    names the classes, one a line. Raises DataError when they do not fit each other.
    """
    images = _load(folder / "images.npy")
    _check_images(folder / "images.npy", images)
    if not labelled or not (folder / "labels.npy").is_file():
        return collect_array(images, [None] * len(images), (), "images.npy")
    classes = _read_classes(folder)
    labels = _load(folder / "labels.npy").reshape(-1)
    if len(labels) != len(images):
        raise DataError(f"{folder}: images.npy has {len(images)} images, labels.npy {len(labels)} labels")
    return collect_array(images, _names(folder, labels, classes), classes, "images.npy")


def _load(path: Path) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"Cannot read {path}: {_reason(error)}") from None
    if not isinstance(array, np.ndarray):
        raise DataError(f"Cannot read {path}: it is an archive of arrays, not one array")
    return array


def _reason(error: Exception) -> str:
    if "allow_pickle" in str(error) or "Python objects" in str(error):
        return "it holds Python objects, which could run code when loaded; save numbers or text"
    return " ".join(str(error).split())


def _check_images(path: Path, images: NDArray[Any]) -> None:
    is_grey = images.ndim == 3
    if not is_grey and not (images.ndim == 4 and images.shape[3] in (1, 3)):
        raise DataError(f"{path} has shape {images.shape}; needed: (n, h, w) or (n, h, w, 1 or 3)")
    if images.dtype != np.uint8:
        raise DataError(f"{path} holds {images.dtype} values; needed: uint8 from 0 to 255")
    if 0 in images.shape:
        raise DataError(f"There are no images in {path}: its shape is {images.shape}")


def _read_classes(folder: Path) -> tuple[str, ...]:
    for path in (folder / "classes.txt", folder.parent / "classes.txt"):
        if path.is_file():
            lines = path.read_text(encoding="utf-8-sig").splitlines()
            return _check_classes(path, tuple(line.strip() for line in lines if line.strip()))
    return ()


def _check_classes(path: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({name for name in classes if classes.count(name) > 1})
    if repeated:
        raise DataError(f"{path} names the class {repeated[0]!r} more than once")
    return classes


def _names(folder: Path, labels: NDArray[Any], classes: tuple[str, ...]) -> list[str | None]:
    """Class names of `labels`; an empty name means unlabelled."""
    if labels.dtype.kind == "U":
        return [str(label) or None for label in labels]
    if labels.dtype.kind not in "iu":
        raise DataError(f"{folder / 'labels.npy'} holds {labels.dtype} values; needed: integers or text")
    if not classes:
        return [str(label) for label in labels]
    wrong = labels[(labels < 0) | (labels >= len(classes))]
    if len(wrong):
        raise DataError(f"{folder}: label {wrong[0]} is none of the {len(classes)} classes of classes.txt")
    return [classes[label] for label in labels]
