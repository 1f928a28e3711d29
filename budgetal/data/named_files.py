"""Local copies of the public data sets, in the formats in which their authors publish them.

Read here instead of through torchvision, which refuses every file whose check sum is not the original's,
and which would unpickle the Python version of CIFAR. A reader answers None when its files are not there.
"""

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budgetal.errors import DataError

DIGITS = tuple("0123456789")
CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


@dataclass(frozen=True)
class LabelledArrays:
    """A data set as arrays: images uint8 (n, h, w) or (n, h, w, 3), labels (n,) into `classes`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]


def read_svhn(root: Path, split: str) -> LabelledArrays | None:
    """Read `train_32x32.mat` or `test_32x32.mat`: X (32, 32, 3, n), y (n, 1); 10 means the digit 0.

    Netzer et al., Reading Digits in Natural Images with Unsupervised Feature Learning, 2011.
    """
    path = root / f"{split}_32x32.mat"
    if not path.is_file():
        return None
    # Imported here: it takes a second that only this data set is worth.
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=("X", "y"))
        images = np.ascontiguousarray(content["X"].transpose(3, 0, 1, 2))
        labels = content["y"].reshape(-1).astype(np.int64) % 10
    # The parser of hostile bytes raises anything, for example zlib.error or TypeError.
    except Exception as error:
        raise DataError(f"Cannot read {path}: {error}") from None
    return _checked(path, images, labels, DIGITS)


def read_idx_pair(folder: Path, split: str, classes: tuple[str, ...]) -> LabelledArrays | None:
    """Read `train-` or `t10k-images-idx3-ubyte` and its labels, plain or with `.gz`.

    LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998.
    """
    stem = "train" if split == "train" else "t10k"
    images = _existing(folder, f"{stem}-images-idx3-ubyte")
    labels = _existing(folder, f"{stem}-labels-idx1-ubyte")
    if images is None or labels is None:
        return None
    return _checked(images, _read_idx(images, 3), _read_idx(labels, 1).astype(np.int64), classes)


def read_cifar(paths: list[Path], n_label_bytes: int, classes: tuple[str, ...]) -> LabelledArrays | None:
    """Read CIFAR's binary version: label bytes, of which the last counts, then 3 × 32 × 32 values.

    Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """
    if not all(path.is_file() for path in paths):
        return None
    length = n_label_bytes + 3 * 32 * 32
    for path in paths:
        if path.stat().st_size % length:
            raise DataError(f"Cannot read {path}: {path.stat().st_size:,} bytes are no multiple of {length}")
    records = np.concatenate([np.fromfile(path, np.uint8) for path in paths]).reshape(-1, length)
    images = records[:, n_label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    labels = records[:, n_label_bytes - 1].astype(np.int64)
    return _checked(paths[0], np.ascontiguousarray(images), labels, classes)


def _checked(path: Path, images: NDArray[Any], labels: NDArray[np.int64], classes: tuple[str, ...]) -> LabelledArrays:
    if images.dtype != np.uint8 or 0 in images.shape:
        raise DataError(f"Cannot read {path}: images are {images.dtype} of shape {images.shape}")
    if len(images) != len(labels):
        raise DataError(f"Cannot read {path}: {len(images)} images, {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= len(classes):
        raise DataError(f"Cannot read {path}: label {labels.max()} is none of {len(classes)} classes")
    return LabelledArrays(images, labels, classes)


def _existing(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _read_idx(path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    """Big-endian header: two zeros, 8 for unsigned bytes, the number of dimensions, each size."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shape = struct.unpack_from(f">{n_dimensions}I", content, 4)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise DataError(f"Cannot read {path}: {error}") from None
    start = 4 + 4 * n_dimensions
    is_valid = content[:4] == bytes([0, 0, 8, n_dimensions])
    if not is_valid or len(content) - start != int(np.prod(shape, dtype=object)):
        raise DataError(f"Cannot read {path}: not a whole IDX file of bytes in {n_dimensions} dimensions")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
