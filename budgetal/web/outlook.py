"""What the next labels would bring: the forecast, made once a round beside the desk, whose turn it would hold up."""

import threading
from pathlib import Path
from typing import Any

from budgetal.project import Project
from budgetal.web.help_records import Outlook, Purchase


class Outlooks:
    """Reads the journal by itself, so that nobody who labels waits for a forecast."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._project: Project | None = None
        self._made: tuple[int, Outlook] | None = None

    def now(self) -> Outlook:
        """The forecast after the last finished round."""
        with self._turn:
            project = self._opened()
            project.catch_up()
            n_rounds = len(project.state.rounds)
            if self._made is None or self._made[0] != n_rounds:
                self._made = n_rounds, _outlook(project.forecast())
            return self._made[1]

    def close(self) -> None:
        """Let the journal go."""
        with self._turn:
            if self._project is not None:
                self._project.close()
                self._project = None

    def _opened(self) -> Project:
        if self._project is None:
            self._project = Project(self._folder)
        return self._project


def _outlook(forecast: dict[str, Any]) -> Outlook:
    if forecast["reason"]:
        return Outlook(next=None, reason=forecast["reason"])
    first = forecast["next"][0]
    middle = {name: first[name]["middle"] for name in ("accuracy", "coverage")}
    return Outlook(next=Purchase(n=first["n_labels"], **middle), reason=None)
