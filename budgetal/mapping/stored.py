"""The newest map of a project: a cache beside the journal, which says nothing of it.

A map decides nothing and can be drawn again from the embeddings that the journal names, so it is no event: somebody
who looks leaves no trace in history. Its arrays are named by content hash and checked when read, as all arrays are.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.errors import StorageError
from budgetal.files import write_atomic
from budgetal.store.arrays import ArrayStore
from budgetal.types import RowArray

MOST_POINTS = 50_000


@dataclass(frozen=True)
class StoredMap:
    """Where a map is and what it shows. points, rows, of: refs; of: of the embeddings that were projected.

    is_finished: False for how far a first map was when it was last kept, so that nobody looks at nothing for minutes.
    """

    points: str
    rows: str
    of: str
    round: int
    seconds: float
    is_finished: bool = True


class MapFolder:
    """A project's `cache/map`."""

    def __init__(self, project: Path) -> None:
        self._folder = project / "cache" / "map"
        self._arrays = ArrayStore(self._folder)

    def newest(self) -> StoredMap | None:
        """The newest map; None when there is none or what is said of it cannot be read."""
        try:
            return StoredMap(**json.loads((self._folder / "map.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def points(self, found: StoredMap) -> NDArray[np.float32]:
        """(n, 2). Raises StorageError when the file is lost or damaged."""
        return self._arrays.get(found.points)

    def rows(self, found: StoredMap) -> RowArray:
        """Rows (n,) of the pool that the points stand for, ascending. Raises StorageError as `points`."""
        return self._arrays.get(found.rows)

    def start(self, rows: RowArray) -> NDArray[np.float32] | None:
        """Points to begin from; None when there is no finished map of these rows."""
        found = self.newest()
        if found is None or not found.is_finished:
            return None
        try:
            return np.array(self.points(found)) if np.array_equal(self.rows(found), rows) else None
        except StorageError:
            return None

    def put(self, points: NDArray[np.float32], rows: RowArray, of: str, round: int, s: float, *, done: bool) -> None:
        """Make this the newest map. The one before stays, for who is reading it."""
        before = self.newest()
        found = StoredMap(self._arrays.put(points, "points"), self._arrays.put(rows, "rows"), of, round, s, done)
        write_atomic(self._folder / "map.json", json.dumps(asdict(found)).encode())
        kept = [found, *([before] if before else [])]
        self._arrays.prune({ref for one in kept for ref in (one.points, one.rows)})


def rows_shown(n_samples: int, rng: np.random.Generator) -> RowArray:
    """All rows, or `MOST_POINTS` of them drawn at random: the same ones for the same generator, ascending."""
    if n_samples <= MOST_POINTS:
        return np.arange(n_samples, dtype=np.int64)
    return np.sort(rng.choice(n_samples, MOST_POINTS, replace=False)).astype(np.int64)
