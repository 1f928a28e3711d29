"""Live progress in a terminal, plain lines elsewhere. Everything goes to stderr; stdout is for results."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from budgetal.project import Project
from budgetal.state import RoundRecord, State

COLUMNS = ("round", "labels", "automatic", "covered", "error ≤", "loss", "audit acc.", "test acc.", "seconds")


class Display:
    """What a run shows while it goes: a row a round, what is being done, and the time left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.state = State()
        self.doing = ""
        self._live: Live | None = None
        self._printed = 0
        self._since_s = time.monotonic()

    @contextmanager
    def running(self) -> Iterator["Display"]:
        """Show the live table until the block ends (terminals only)."""
        if not self.console.is_terminal:
            yield self
            return
        with Live(self._render(), console=self.console, refresh_per_second=4) as live:
            self._live = live
            yield self
            self.doing = ""
            live.update(self._render())

    def on_progress(self, what: str, done: int, total: int) -> None:
        """A step of the learner, `done` of `total`."""
        self.doing = f"{what} {done:,}/{total:,}" if total > 1 else what
        self._show()

    def on_round(self, project: Project) -> None:
        """The project went a step further."""
        self.state = project.state
        self.doing = f"waiting for {len(self.state.open_items)} labels" if self.state.open_items else ""
        self._show()

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self._render())
            return
        for record in self.state.rounds[self._printed :]:
            cells = zip(COLUMNS, cells_of(record), strict=True)
            self.console.print("  ".join(f"{name} {cell}" for name, cell in cells), soft_wrap=True)
        self._printed = len(self.state.rounds)

    def _render(self) -> RenderableType:
        table = Table(box=None, pad_edge=False)
        for name in COLUMNS:
            table.add_column(name, justify="right")
        for record in self.state.rounds:
            table.add_row(*cells_of(record))
        return Group(table, Text(self._status(), style="dim"))

    def _status(self) -> str:
        if self.state.config is None:
            return self.doing
        spent, budget = self.state.n_paid, self.state.settings.budget
        return f"{spent:,} of {budget:,} labels spent   {self._time_left()}   {self.doing}"

    def _time_left(self) -> str:
        """Rounds to come, at the pace so far. A person's time cannot be known and is not counted."""
        rounds = self.state.rounds
        if len(rounds) < 2 or rounds[-1].n_human == rounds[-2].n_human:
            return ""
        labels_left = self.state.settings.budget - self.state.n_paid
        to_come = labels_left / (rounds[-1].n_human - rounds[-2].n_human)
        seconds = to_come * sum(record.seconds for record in rounds) / len(rounds)
        return f"about {seconds:.0f} s left"


def cells_of(record: RoundRecord) -> tuple[str, ...]:
    """A finished round as text, in the order of COLUMNS."""
    return (
        str(record.round),
        f"{record.n_human:,}",
        f"{record.n_auto:,}",
        f"{record.coverage:.1%}",
        _share(record.upper_bound),
        f"{record.train_loss:.3f}",
        _share(record.audit_accuracy),
        _share(record.test_accuracy),
        f"{record.seconds:.1f}",
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
