"""Data sets by name: from a local copy, from scikit-learn's own files, or downloaded by torchvision."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from budgetal.data.arrays import collect_array
from budgetal.data.collection import Collection
from budgetal.data.named_files import (
    CIFAR10_CLASSES,
    DIGITS,
    LabelledArrays,
    read_cifar,
    read_idx_pair,
    read_svhn,
)
from budgetal.errors import DataError
from budgetal.torchvision_shim import torchvision

FASHION_CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
Reader = Callable[[Path, str], LabelledArrays | None]


def load_named(name: str, data_root: str | None, split: str, labelled: bool) -> Collection:
    """Load the split "train" or "test" of a public data set in its own image size.

    Looks for a local copy below `data_root` and otherwise downloads into it. Raises DataError when
    neither works; "digits" (scikit-learn's 1,797 images of 8 × 8) needs no files and is not split.
    """
    if split not in ("train", "test"):
        raise DataError(f"Unknown split {split!r} of {name}: choose train or test")
    data = _digits(split) if name == "digits" else _read(name, _root(data_root), split)
    names = [data.classes[label] if labelled else None for label in data.labels]
    return collect_array(data.images, names, data.classes if labelled else (), f"{name}/{split}")


def _digits(split: str) -> LabelledArrays:
    if split == "test":
        raise DataError("The data set digits has no test split: hold out a part of its train split")
    # Imported here: it takes a second that only this data set is worth.
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Grey levels 0..16 become 0..255.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return LabelledArrays(images, digits.target.astype(np.int64), DIGITS)


def _root(data_root: str | None) -> Path:
    if data_root is not None:
        return Path(data_root)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "budgetal" / "data"


def _read(name: str, root: Path, split: str) -> LabelledArrays:
    local = _LOCAL[name](root, split)
    return local if local is not None else _download(name, root, split)


def _mnist(folder: str, classes: tuple[str, ...]) -> Reader:
    def read(root: Path, split: str) -> LabelledArrays | None:
        for place in (root / folder / "raw", root / folder, root):
            found = read_idx_pair(place, split, classes)
            if found is not None:
                return found
        return None

    return read


def _cifar10(root: Path, split: str) -> LabelledArrays | None:
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    folder = _either(root, "cifar-10-batches-bin")
    return read_cifar([folder / name for name in names], 1, CIFAR10_CLASSES)


def _cifar100(root: Path, split: str) -> LabelledArrays | None:
    folder = _either(root, "cifar-100-binary")
    names = folder / "fine_label_names.txt"
    if not names.is_file():
        return None
    return read_cifar([folder / f"{split}.bin"], 2, tuple(names.read_text(encoding="utf-8").split()))


def _either(root: Path, folder: str) -> Path:
    """`data_root` may be the data set's own folder or the one that contains it."""
    return root / folder if (root / folder).is_dir() else root


def _download(name: str, root: Path, split: str) -> LabelledArrays:
    try:
        return _DOWNLOAD[name](root, split)
    # Without a network urllib, socket or ssl errors come, from torchvision also RuntimeError.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"Cannot download {name} to {root} ({reason}): give --data-root with a local copy, "
            "a folder of images, or an npy folder"
        ) from None


def _dataset(kind: str, root: Path, **arguments: Any) -> Any:
    """A torchvision data set; it downloads what is missing and checks the sums of what is there."""
    torchvision()
    from torchvision import datasets

    return getattr(datasets, kind)(root, download=True, **arguments)


def _download_svhn(root: Path, split: str) -> LabelledArrays:
    data = _dataset("SVHN", root, split=split)
    return LabelledArrays(np.ascontiguousarray(data.data.transpose(0, 2, 3, 1)), data.labels, DIGITS)


def _download_mnist(root: Path, split: str) -> LabelledArrays:
    data = _dataset("MNIST", root, train=split == "train")
    return LabelledArrays(data.data.numpy(), data.targets.numpy(), DIGITS)


def _download_fashion(root: Path, split: str) -> LabelledArrays:
    data = _dataset("FashionMNIST", root, train=split == "train")
    return LabelledArrays(data.data.numpy(), data.targets.numpy(), FASHION_CLASSES)


def _download_cifar(kind: str) -> Callable[[Path, str], LabelledArrays]:
    def download(root: Path, split: str) -> LabelledArrays:
        data = _dataset(kind, root, train=split == "train")
        return LabelledArrays(data.data, np.array(data.targets, np.int64), tuple(data.classes))

    return download


_LOCAL: Mapping[str, Reader] = {
    "cifar10": _cifar10,
    "cifar100": _cifar100,
    "fashion-mnist": _mnist("FashionMNIST", FASHION_CLASSES),
    "mnist": _mnist("MNIST", DIGITS),
    "svhn": read_svhn,
}
_DOWNLOAD: Mapping[str, Callable[[Path, str], LabelledArrays]] = {
    "cifar10": _download_cifar("CIFAR10"),
    "cifar100": _download_cifar("CIFAR100"),
    "fashion-mnist": _download_fashion,
    "mnist": _download_mnist,
    "svhn": _download_svhn,
}
NAMES = ("digits", *_LOCAL)
