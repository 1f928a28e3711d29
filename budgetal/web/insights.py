"""What the live page tells beyond the charts of rounds. It reads a state of its own, so no watcher holds up a label."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from budgetal.class_coverage import class_coverage
from budgetal.class_table import certificate_by_class
from budgetal.consensus import people_table
from budgetal.data.pool import Pool
from budgetal.evidence import proposals_of
from budgetal.lessons import Lessons, lessons_of
from budgetal.logbook import Logbook
from budgetal.planning import Planner
from budgetal.project import Project
from budgetal.report.class_rows import CLASS_COLUMNS, class_cells
from budgetal.report.outlook import accuracy_outlook, advice_lines, coverage_outlook, spent_line
from budgetal.state import State
from budgetal.store.arrays import ArrayStore
from budgetal.web.drawings import as_json, round_rows

T = TypeVar("T")

PACE_OVER_S = 600.0


@dataclass
class Paces:
    """When each person answered, over the last ten minutes of answers."""

    seq: int = 0
    times: dict[str, deque[float]] = field(default_factory=dict)

    def follow(self, logbook: Logbook) -> None:
        """Read what came since."""
        for event in logbook.events_after(self.seq):
            self.seq = event.seq
            if event.kind == "labelled":
                self._note(str(event.data["annotator"]), event.time_unix_s)

    def per_minute(self, annotator: str) -> float | None:
        """Answers a minute from the first to the last of these; None for a single one."""
        times = self.times.get(annotator, deque())
        passed_s = times[-1] - times[0] if times else 0.0
        return 60 * (len(times) - 1) / passed_s if passed_s > 0 else None

    def _note(self, annotator: str, time_s: float) -> None:
        times = self.times.setdefault(annotator, deque())
        if times and time_s < times[-1]:
            # The clock was set back: gaps across that say nothing.
            times.clear()
        times.append(time_s)
        while time_s - times[0] > PACE_OVER_S:
            times.popleft()


class Insights:
    """Figures of one project that take a while; each is made once for a state and then kept."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._logbook = Logbook(project.folder)
        self._turn = threading.Lock()
        self._paces = Paces()
        self._kept: dict[str, tuple[object, object]] = {}

    def people(self) -> list[dict[str, Any]]:
        """One record a person: answers, pace, agreement with the others."""

        def make(state: State) -> list[dict[str, Any]]:
            self._paces.follow(self._logbook)
            table: list[Any] = people_table(state)
            return [{**row, "per_minute": self._paces.per_minute(row["annotator"])} for row in table]

        return self._made("people", make, lambda state: state.seq)

    def lessons(self) -> Lessons:
        """Where the model errs, image by image."""
        return self._made("lessons", lambda state: lessons_of(state, self._pool, self._arrays), lambda state: state.seq)

    def classes(self) -> dict[str, Any]:
        """The table of classes: its columns and rows as text."""
        return self._made("classes", self._class_table, _rounds_over)

    def forecast(self) -> dict[str, Any]:
        """What further labels would do: lines of text and figures."""
        return self._made("forecast", self._forecast, _rounds_over)

    @property
    def _pool(self) -> Pool:
        return self._project.learner.pool

    @property
    def _arrays(self) -> ArrayStore:
        return self._project.workspace.arrays

    def _made(self, name: str, make: Callable[[State], T], of: Callable[[State], object]) -> T:
        with self._turn:
            self._logbook.catch_up()
            state = self._logbook.state
            kept = self._kept.get(name)
            if kept is None or kept[0] != of(state):
                kept = self._kept[name] = of(state), make(state)
            return kept[1]  # type: ignore[return-value]

    def _class_table(self, state: State) -> dict[str, Any]:
        proposals = proposals_of(state, self._arrays)
        by_class = certificate_by_class(state, state.certificate, self._pool, proposals)
        automatic = self._project.learner.auto_labels(state)[1]
        rows: list[Any] = class_coverage(state, automatic, self._pool, proposals, by_class)
        cells = [list(row) for row in class_cells(rows)]
        return {"round": _newest_round(state), "columns": list(CLASS_COLUMNS), "rows": cells}

    def _forecast(self, state: State) -> dict[str, Any]:
        found: dict[str, Any] = Planner(state, self._pool, self._arrays, self._project.plan.batch).forecast()
        lines, over = [spent_line(found["spent"])], {"round": _newest_round(state)}
        if found["reason"]:
            return {**over, "lines": [*lines, found["reason"]], "note": "", "figures": []}
        figures = [as_json(draw(found, round_rows(state))) for draw in (accuracy_outlook, coverage_outlook)]
        return {**over, "lines": [*lines, *advice_lines(found)], "note": found["note"], "figures": figures}


def _newest_round(state: State) -> int | None:
    return state.rounds[-1].round if state.rounds else None


def _rounds_over(state: State) -> tuple[object, ...]:
    return len(state.rounds), state.settings, state.finished, state.certificate
