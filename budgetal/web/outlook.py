"""What the next labels would bring: the forecast, made once a round beside the desk, whose turn it would hold up.

It is made again when the settings or the classes change, and after a look at the end. Not at every answer: it reads the
audit's, and whoever saw it move after an own answer would know that the image is of the audit.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budgetal.config import Config
from budgetal.project import Project
from budgetal.state import State
from budgetal.web.help_records import Outlook, Purchase


@dataclass(frozen=True)
class _Basis:
    """What a forecast is made of, but for answers since."""

    n_rounds: int
    n_final_looks: int
    config: Config


def _basis_of(state: State) -> _Basis:
    return _Basis(len(state.rounds), state.n_final_looks, state.settings)


class Outlooks:
    """Reads the journal by itself, so that nobody who labels waits for a forecast."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = threading.Lock()
        self._project: Project | None = None
        self._made: tuple[_Basis, Outlook] | None = None

    def now(self) -> Outlook:
        """The forecast after the last finished round."""
        with self._turn:
            project = self._opened()
            project.catch_up()
            basis = _basis_of(project.state)
            if self._made is None or self._made[0] != basis:
                self._made = basis, _outlook(project.forecast())
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
