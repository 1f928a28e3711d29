"""Has a new map drawn when the embeddings changed and somebody looks, in a process that takes only spare time."""

import logging
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from budgetal.logbook import Logbook
from budgetal.mapping.interest import is_looked_at
from budgetal.mapping.stored import MapFolder

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
AFTER_FAILURE_S = 60.0
COMMAND = (sys.executable, "-m", "budgetal.mapping")
"""Draws the map of the folder that is named after it."""


class Cartographer:
    """Keeps the map of one project new. The learner asks it to `tend` the map whenever it has a moment."""

    def __init__(self, folder: Path, logbook: Logbook, command: Sequence[str] = COMMAND) -> None:
        self._command = [*command, str(folder)]
        self._logbook = logbook
        self._maps = MapFolder(folder)
        self._child: subprocess.Popen[bytes] | None = None
        self._looked_s = -LOOK_EVERY_S
        self._pause_s = LOOK_EVERY_S

    @property
    def is_drawing(self) -> bool:
        """Whether a map is being drawn."""
        return self._child is not None

    def tend(self) -> None:
        """Begin a map when one is due, and notice when one is done; returns at once."""
        if time.monotonic() - self._looked_s < self._pause_s:
            return
        self._looked_s, self._pause_s = time.monotonic(), LOOK_EVERY_S
        if self._child is not None:
            self._notice_end(self._child)
        elif self._is_due() and is_looked_at(self._logbook):
            self._child = subprocess.Popen(self._command)  # noqa: S603

    def close(self) -> None:
        """End a map that is being drawn."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def _is_due(self) -> bool:
        state = self._logbook.state
        if state.settings.map == "off" or state.embeddings_ref is None:
            return False
        newest = self._maps.newest()
        return newest is None or not newest.is_finished or newest.of != state.embeddings_ref

    def _notice_end(self, child: subprocess.Popen[bytes]) -> None:
        code = child.poll()
        if code is None:
            return
        self._child = None
        if code != 0:
            self._pause_s = AFTER_FAILURE_S
            logger.warning("The map of the images could not be drawn (code %d); it is tried again in a minute", code)
