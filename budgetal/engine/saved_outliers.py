"""What a saved model carries to rule out possible outliers: a last layer of one outcome more, and its threshold."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from budgetal.errors import StorageError
from budgetal.files import write_atomic
from budgetal.models.calibration import softmax
from budgetal.training.head import Floats

FILE = "outliers.safetensors"


@dataclass(frozen=True)
class OutlierHead:
    """weight: (m + 1, d), bias: (m + 1,), on a network's features; the last outcome is "none of these".

    threshold: the probability of that above which an image is a possible outlier.
    """

    weight: Floats
    bias: Floats
    threshold: float

    def scores(self, features: Floats) -> NDArray[np.float32]:
        """(n,) how probably each image, by its features (n, d), is none of the classes."""
        return np.ascontiguousarray(softmax(features @ self.weight.T + self.bias, 1.0)[:, -1])

    def widened(self, width: int) -> "OutlierHead":
        """The same on features of which only the first d count. Raises ValueError for fewer than d."""
        more = width - self.weight.shape[1]
        if more < 0:
            raise ValueError(f"features have {width} numbers, the outliers' layer reads {self.weight.shape[1]}")
        return OutlierHead(np.pad(self.weight, ((0, 0), (0, more))), self.bias, self.threshold)


def write_outliers(head: OutlierHead | None, folder: Path) -> dict[str, Any] | None:
    """Write the file, if there is anything to write, and return what the model's card says of it."""
    if head is None:
        return None
    arrays = {"weight": head.weight.astype(np.float32), "bias": head.bias.astype(np.float32)}
    content = safetensors.numpy.save(arrays)
    write_atomic(folder / FILE, content)
    return {"threshold": head.threshold, "sha256": hashlib.sha256(content).hexdigest()}


def read_outliers(described: Mapping[str, Any] | None, folder: Path) -> OutlierHead | None:
    """What `write_outliers` wrote; None where the card names nothing. Raises StorageError when it is damaged."""
    if described is None:
        return None
    path = folder / FILE
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != described["sha256"]:
            raise StorageError(f"{path} is damaged: it is not what model.json describes")
        arrays = safetensors.numpy.load(content)
        return OutlierHead(arrays["weight"], arrays["bias"], float(described["threshold"]))
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise StorageError(f"Cannot read {path}: {error}") from None
