"""What pages are told of the map of one project: where the points lie, and what is known of each."""

import time

import numpy as np
from numpy.typing import NDArray

from budgetal.data.pool import Pool
from budgetal.desk import Desk
from budgetal.errors import DataError, StorageError
from budgetal.mapping import (
    Known,
    MapFolder,
    Marks,
    StoredMap,
    known_of,
    look_again,
    map_progress,
    marks_of,
    uncertainty_of,
)
from budgetal.types import RowArray
from budgetal.web.roles import Role
from budgetal.web.sessions import Session
from budgetal.web.watching_records import MapInfo, MapStep

LOOK_EVERY_S = 60.0


class Maps:
    """The map of one project, as a person of some role sees it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._folder = MapFolder(desk.project.folder)
        self._looked_s = -LOOK_EVERY_S
        self._uncertainty: tuple[str, NDArray[np.uint8]] | None = None

    def info(self, session: Session) -> MapInfo:
        """Which map there is, and how far the next one is. Whoever asks is looking: one will be drawn."""
        self._look()
        logbook, found = self._desk.project.logbook, self._folder.newest()
        ref, setting = self._desk.look(lambda state: (state.embeddings_ref, state.settings.map))
        step = map_progress(logbook)
        return MapInfo(
            name=found.points if found else None,
            n_points=len(self._folder.rows(found)) if found else 0,
            n_samples=len(self._pool),
            id_bytes=len(self._pool.sample_ids[0]) // 2,
            round=found.round if found else None,
            is_newest=found is not None and found.is_finished and found.of == ref,
            is_draft=found is not None and not found.is_finished,
            can_be_drawn=ref is not None and setting != "off",
            is_off=setting == "off",
            drawing=MapStep(done=step.done, total=step.total) if step else None,
            sees_all=session.role >= Role.REVIEWER,
        )

    def points(self, name: str) -> bytes:
        """x and y of each point as float32, then each image's id. Raises DataError when the map was replaced."""
        found = self._named(name)
        ids = self._pool.ids(self._folder.rows(found))
        return self._folder.points(found).astype("<f4").tobytes() + bytes.fromhex("".join(ids))

    def marks(self, name: str, session: Session) -> bytes:
        """Labels, provenance and uncertainty of each point, as `Marks.packed`. Raises as `points`."""
        found = self._named(name)
        sees_all = session.role >= Role.REVIEWER
        known = self._desk.look(lambda state: known_of(state, None if sees_all else session.annotator))
        return self._marks(known, sees_all=sees_all).packed(self._folder.rows(found))

    def _marks(self, known: Known, *, sees_all: bool) -> Marks:
        automatic = self._automatic(known.auto_ref) if sees_all else None
        uncertainty = self._uncertain(known.probs_ref) if sees_all else None
        return marks_of(self._pool, self._desk.project.config.classes, known, automatic, uncertainty)

    def _named(self, name: str) -> StoredMap:
        found = self._folder.newest()
        if found is None or found.points != name:
            raise DataError(f"There is no map {name}: it was replaced, ask which one is the newest")
        return found

    @property
    def _pool(self) -> Pool:
        return self._desk.project.learner.pool

    def _look(self) -> None:
        if time.monotonic() - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = time.monotonic()
            look_again(self._desk.project.logbook)

    def _automatic(self, ref: str | None) -> tuple[RowArray, RowArray] | None:
        array = self._array(ref)
        return None if array is None else (array[0], array[1])

    def _uncertain(self, ref: str | None) -> NDArray[np.uint8] | None:
        if self._uncertainty and self._uncertainty[0] == ref:
            return self._uncertainty[1]
        probs = self._array(ref)
        if ref is None or probs is None:
            return None
        self._uncertainty = ref, uncertainty_of(probs)
        return self._uncertainty[1]

    def _array(self, ref: str | None) -> NDArray[np.float32] | None:
        """None for what a later round has replaced since: the page asks again soon."""
        try:
            return None if ref is None else self._desk.project.workspace.arrays.get(ref)
        except StorageError:
            return None
