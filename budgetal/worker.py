"""The learner as a process: trains, judges and asks ahead while people label, and waits when there is nothing to do."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from budgetal import rounds
from budgetal.ahead import Lead, Step, lead_for, next_step, size_ahead
from budgetal.leasing import Leasing
from budgetal.loop import ClassesChangedError
from budgetal.mapping import Cartographer
from budgetal.presence import Presence
from budgetal.project import Project
from budgetal.state import State

LOOK_EVERY_S = 0.1
STAND_BY_S = 1.0
PACE_OVER_S = 120.0

OnStep = Callable[[Project], None]


class Pace:
    """How fast people answer images outside the audit: how hard those in it are must not decide anything."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, now_s: float, n_labels: int) -> None:
        """There are `n_labels` now. A pause, in which nothing came, tells nothing about pace."""
        if self._seen and self._seen[-1][1] == n_labels:
            return
        self._seen.append((now_s, n_labels))
        while now_s - self._seen[0][0] > PACE_OVER_S:
            self._seen.popleft()

    @property
    def labels_per_s(self) -> float:
        """Over the last two minutes in which labels came; 0 until there are two observations."""
        if len(self._seen) < 2:
            return 0.0
        (began_s, first), (now_s, last) = self._seen[0], self._seen[-1]
        return max(0.0, (last - first) / max(now_s - began_s, 1.0))


class Over(Protocol):
    """Whether to end; a threading.Event is one."""

    def is_set(self) -> bool:
        """Whether it is time."""
        ...

    def wait(self, timeout: float) -> bool:
        """The same after so many seconds, or sooner."""
        ...


class Worker:
    """Takes the learner's steps of one project."""

    def __init__(self, project: Project, presence: Presence, on_step: OnStep = lambda _project: None) -> None:
        self.project = project
        self.presence = presence
        self.on_step = on_step
        self.leasing = Leasing(project.logbook)
        self.pace = Pace()
        self.cartographer = Cartographer(project.folder, project.logbook)
        self._machine_s = project.state.rounds[-1].seconds if project.state.rounds else 0.0
        self._began_s: float | None = None
        self._n_trained_on = 0
        project.on_progress = presence.say

    def run(self, over: Over) -> None:
        """Work until `over` is set; what is under way is finished first."""
        try:
            while not over.is_set():
                if not self.presence.take_place():
                    over.wait(STAND_BY_S)
                elif self.step() == "wait":
                    self._wait_for_news(over)
                self.cartographer.tend()
        finally:
            self.cartographer.close()

    def step(self) -> Step:
        """Take the step that is due now, and return which it was."""
        self.project.catch_up()
        state, lead = self.project.state, self._lead()
        n_labels = _n_for_training(state)
        self.pace.note(time.monotonic(), n_labels)
        due = next_step(state, self.project.plan, lead, n_labels - self._n_trained_on)
        step: Step = "wait" if state.paused else due
        if step != "wait":
            self._take(step, lead, n_labels)
        return step

    def _take(self, step: Step, lead: Lead, n_labels: int) -> None:
        if step == "fit":
            self._began_s, self._n_trained_on = time.monotonic(), n_labels
        try:
            self.project.loop.take(step, size_ahead(self.project.plan, lead))
        except ClassesChangedError:
            return
        if step == "finish":
            self.project.write_outputs()
        if step == "ask" and self._began_s is not None:
            self._machine_s, self._began_s = time.monotonic() - self._began_s, None
        self.on_step(self.project)

    def _lead(self) -> Lead:
        n_people = len(set(self.leasing.holders().values()))
        return lead_for(n_people, self.pace.labels_per_s, self._machine_s, is_short=self.leasing.is_short())

    def _wait_for_news(self, over: Over) -> None:
        # Opened before the wait: the time of a loop that is made after it would begin when the wait ended.
        loop = self.project.loop
        self.presence.say(_waiting_for(self.project.state))
        began_s = time.monotonic()
        while not self._has_news() and not over.wait(LOOK_EVERY_S):
            self.cartographer.tend()
        # People's time is not the machine's.
        loop.worked_since_s += time.monotonic() - began_s

    def _has_news(self) -> bool:
        return self.project.logbook.last_seq() != self.project.state.seq or self.leasing.is_short()


def _n_for_training(state: State) -> int:
    return sum(sample_id not in state.audit for sample_id in state.labels)


def _waiting_for(state: State) -> str:
    if state.paused:
        return "waiting: the project is paused"
    if state.finished:
        return f"finished: {state.stop_reason}"
    query = rounds.open_query(state)
    return "waiting for labels" if query else "waiting"
