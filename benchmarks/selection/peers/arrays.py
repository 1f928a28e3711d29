"""The data as peers want it: pool rows first, so that their indices are ours, then the labelled images."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from selection.data import Array, Size, read_size


@dataclass(frozen=True)
class Arrays:
    """Arrays in memory, read once from the files of a benchmark."""

    folder: Path

    @cached_property
    def size(self) -> Size:
        return read_size(self.folder)

    @cached_property
    def embeddings(self) -> Array:
        """Pool and labelled images (n + l, d)."""
        return np.concatenate([self.read("embeddings"), self.read("labelled_embeddings")])

    @cached_property
    def probs(self) -> Array:
        """Probabilities of the pool (n, classes)."""
        return self.read("probs")

    @cached_property
    def all_probs(self) -> Array:
        """Probabilities of pool and labelled images (n + l, classes)."""
        return np.concatenate([self.probs, self.read("labelled_probs")])

    @cached_property
    def labelled_targets(self) -> NDArray[np.int64]:
        return self.read("labelled_targets")

    def read(self, name: str) -> NDArray:
        return np.load(self.folder / f"{name}.npy")
