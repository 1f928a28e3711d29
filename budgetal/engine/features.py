"""Embeddings of a frozen backbone, computed once a project and kept by name."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.errors import StorageError
from budgetal.files import write_atomic
from budgetal.store.arrays import ArrayStore


@dataclass(frozen=True)
class FeatureCache:
    """Which stored array holds which features: a small index file beside the array store."""

    arrays: ArrayStore
    index: Path

    def ref(self, key: str, n: int, compute: Callable[[], NDArray[np.float32]]) -> str:
        """Ref of the features of `n` images under `key`; they are computed when missing or damaged."""
        ref = self._entries().get(key)
        if ref is None or not self._holds(ref, n):
            ref = self.arrays.put(compute(), "features")
            write_atomic(self.index, json.dumps(self._entries() | {key: ref}, indent=1).encode())
        return ref

    def refs(self) -> set[str]:
        """Every array that the index names."""
        return set(self._entries().values())

    def _entries(self) -> dict[str, str]:
        # A cache: an index that cannot be read costs its features' time again, nothing else.
        try:
            entries: dict[str, str] = json.loads(self.index.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return entries

    def _holds(self, ref: str, n: int) -> bool:
        try:
            return len(self.arrays.get(ref)) == n
        except StorageError:
            return False


def normalised(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows (n, d) at length 1; a row of zeros stays one."""
    lengths = np.sqrt(np.einsum("nd,nd->n", features, features))
    return np.asarray(features / np.maximum(lengths, 1e-12)[:, None], dtype=np.float32)
