"""The collection as rows: which sample id is at which position, and nothing more."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np

from budgetal.types import RowArray


class Pool:
    """Sample ids in row order. Rows are positions in every array of the project; ids are for the journal."""

    def __init__(self, sample_ids: Sequence[str]) -> None:
        self.sample_ids = tuple(sample_ids)

    def __len__(self) -> int:
        return len(self.sample_ids)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {sample_id: row for row, sample_id in enumerate(self.sample_ids)}

    def __contains__(self, sample_id: object) -> bool:
        return sample_id in self._row_of

    def rows(self, sample_ids: Iterable[str]) -> RowArray:
        """Rows of `sample_ids`, in their order. Raises KeyError for an id that is not in the pool."""
        return np.array([self._row_of[sample_id] for sample_id in sample_ids], dtype=np.int64)

    def ids(self, rows: Iterable[int] | RowArray) -> tuple[str, ...]:
        """Sample ids of `rows`, in their order."""
        return tuple(self.sample_ids[int(row)] for row in rows)

    def rows_except(self, *removed: Iterable[str]) -> RowArray:
        """All rows, ascending, but those of the ids in any of `removed`."""
        keep = np.ones(len(self), dtype=bool)
        for sample_ids in removed:
            keep[self.rows(sample_ids)] = False
        return np.flatnonzero(keep).astype(np.int64)
