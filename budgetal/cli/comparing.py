"""How a comparison goes: a table in a terminal, a line for each run that ended elsewhere."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from budgetal.compare.plan import Comparison
from budgetal.compare.runner import Standing
from budgetal.report.numbers import count, percent

COLUMNS = ("collection", "arm", "done", "running", "failed", "labels", "right")
ENDED = ("done", "failed")


class Board:
    """Shows the standings of a comparison's runs."""

    def __init__(self, console: Console, comparison: Comparison) -> None:
        self.console = console
        self.comparison = comparison
        self._live: Live | None = None
        self._ended: set[str] | None = None

    @contextmanager
    def running(self) -> Iterator["Board"]:
        """Show the live table until the block ends (terminals only)."""
        if not self.console.is_terminal:
            yield self
            return
        with Live(self.table([]), console=self.console, refresh_per_second=4) as self._live:
            yield self

    def show(self, standings: Sequence[Standing]) -> None:
        """The runs went on."""
        if self._live is not None:
            self._live.update(self.table(standings))
            return
        ended = {one.run.folder for one in standings if one.what in ENDED}
        before = ended if self._ended is None else self._ended
        self._ended = ended
        for one in standings:
            if one.run.folder in ended - before:
                self.console.print(f"{len(ended)}/{len(standings)} {one.run.folder}: {_said(one)}", soft_wrap=True)

    def table(self, standings: Sequence[Standing]) -> Table:
        """A row a collection and arm; labels and accuracy are those of the newest round of its runs."""
        ended = sum(one.what in ENDED for one in standings)
        table = Table(box=None, pad_edge=False, caption=f"{ended} of {len(standings)} runs have ended")
        for name in COLUMNS:
            table.add_column(name, justify="left" if name in ("collection", "arm") else "right")
        for collection in self.comparison.collections:
            for arm in self.comparison.arms:
                mine = [one for one in standings if one.run.collection == collection and one.run.arm is arm]
                table.add_row(collection, arm.name, *_cells(mine))
        return table


def _cells(mine: Sequence[Standing]) -> tuple[str, ...]:
    n = Counter(one.what for one in mine)
    last = next((one for one in reversed(mine) if one.n_human is not None), None)
    figures = (count(last.n_human), percent(last.accuracy)) if last else ("", "")
    return f"{n['done']}/{len(mine)}", str(n["running"] or ""), str(n["failed"] or ""), *figures


def _said(one: Standing) -> str:
    if one.what == "failed":
        return f"failed: {one.reason}"
    return f"{count(one.n_human)} labels, {percent(one.accuracy)} right"
