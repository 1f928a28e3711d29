"""Draws one map from what the journal names, and keeps it."""

import os
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.logbook import Logbook
from budgetal.mapping.interest import say_progress
from budgetal.mapping.projection import project
from budgetal.mapping.stored import MapFolder, rows_shown
from budgetal.seeding import generator
from budgetal.store.arrays import ArrayStore
from budgetal.types import RowArray

TOLD_EVERY_S = 1.0
KEPT_EVERY_S = 4.0


def draw(folder: Path) -> None:
    """Draw the map of the newest embeddings of the project in `folder`. Raises StorageError when they are gone."""
    logbook = Logbook(folder)
    state = logbook.state
    if state.embeddings_ref is None:
        return
    embeddings = ArrayStore(folder / "cache" / "arrays").get(state.embeddings_ref)
    rows = rows_shown(len(embeddings), generator(state.settings.seed, 0, "map rows"))
    maps = MapFolder(folder)
    start = maps.start(rows)
    sheet = _Sheet(logbook, maps, rows, keeps_drafts=start is None)
    rng = generator(state.settings.seed, state.model_round, "map")
    sheet.finish(project(np.asarray(embeddings[rows]), start, rng, sheet.step))
    logbook.close()


class _Sheet:
    """A map under way. It ends with the learner that wanted it.

    keeps_drafts: a first map is kept every few seconds as far as it is.
    """

    def __init__(self, logbook: Logbook, maps: MapFolder, rows: RowArray, *, keeps_drafts: bool) -> None:
        self._logbook = logbook
        self._maps = maps
        self._rows = rows
        self._keeps_drafts = keeps_drafts
        self._parent = os.getppid()
        self._began_s = time.monotonic()
        self._told_s = self._kept_s = -KEPT_EVERY_S

    def step(self, done: int, total: int, points: NDArray[np.float32]) -> None:
        """Tell how far it is."""
        if os.getppid() != self._parent:
            raise SystemExit("The learner has ended: its map is not finished")
        now_s = time.monotonic()
        if now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            say_progress(self._logbook, done, total)
        if self._keeps_drafts and now_s - self._kept_s >= KEPT_EVERY_S:
            self._kept_s = now_s
            self._keep(points, done=False)

    def finish(self, points: NDArray[np.float32]) -> None:
        """Keep the map as the project's newest."""
        self._keep(points, done=True)
        say_progress(self._logbook, 1, 1)

    def _keep(self, points: NDArray[np.float32], *, done: bool) -> None:
        state, seconds = self._logbook.state, time.monotonic() - self._began_s
        self._maps.put(points, self._rows, str(state.embeddings_ref), state.model_round, seconds, done=done)
