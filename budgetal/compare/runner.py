"""Runs of a comparison side by side, each in a process of its own that may be killed at any time."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from budgetal.compare.config import PEOPLE
from budgetal.compare.measure import read_rounds
from budgetal.compare.plan import Comparison, Run
from budgetal.compare.play import LOG, RESULT, ROUNDS, TASK, Task
from budgetal.compare.pools import draw_pool
from budgetal.data.sources import find_splits
from budgetal.errors import BudgetalError, ConfigError, ProjectError
from budgetal.files import write_atomic
from budgetal.types import Json

POLL_S = 0.5
PATIENCE_S = 20
INTERRUPTED = (130, -signal.SIGINT, -signal.SIGTERM)
What = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Standing:
    """How far one run is. reason: the line it failed with."""

    run: Run
    what: What
    n_rounds: int = 0
    n_human: int | None = None
    accuracy: float | None = None
    reason: str = ""


OnChange = Callable[[list[Standing]], None]


class Runner:
    """Plays what was not played yet. n_jobs: runs at a time; keep: leave the projects' folders."""

    def __init__(self, comparison: Comparison, out: Path, n_jobs: int = 1, *, keep: bool = False) -> None:
        if n_jobs < 1:
            raise ConfigError(f"Cannot run {n_jobs} at a time: give --jobs 1 or more")
        self.comparison = comparison
        self.out = out
        self.n_jobs = n_jobs
        self.keep = keep
        self.runs = comparison.runs()
        self._processes: dict[Run, subprocess.Popen[bytes]] = {}
        self._failed: dict[Run, str] = {}

    def prepare(self) -> None:
        """Write what each run is to do. Raises ProjectError where a folder holds a run with other settings."""
        for run in self.runs:
            self._write_task(run)

    def go(self, on_change: OnChange, poll_s: float = POLL_S) -> None:
        """Run until all have ended; a failed run does not keep the others from it.

        Raises BudgetalError with the first failure then. Ctrl-C ends the runs under way; they go on next time.
        """
        waiting = [run for run in self.runs if not self.result_of(run).exists()]
        try:
            while waiting or self._processes:
                while waiting and len(self._processes) < self.n_jobs:
                    run = waiting.pop(0)
                    self._processes[run] = self._start(run)
                on_change(self.standings())
                time.sleep(poll_s)
                self._collect()
        finally:
            self._end_all()
        on_change(self.standings())
        self._complain()

    def standings(self) -> list[Standing]:
        """How far each run is."""
        return [self._standing(run) for run in self.runs]

    def folder_of(self, run: Run) -> Path:
        """Where everything of a run is."""
        return self.out / "runs" / run.folder

    def result_of(self, run: Run) -> Path:
        """The figures of a run that has ended."""
        return self.folder_of(run) / RESULT

    # -- one run ---------------------------------------------------------------------------------

    def _write_task(self, run: Run) -> None:
        folder = self.folder_of(run)
        task = asdict(self._task(run))
        path = folder / TASK
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            _check_same(folder, before, task)
            if self.result_of(run).exists():
                return
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, (json.dumps(task, indent=1) + "\n").encode())

    def _task(self, run: Run) -> Task:
        settings = {name: value for name, value in run.arm.settings.items() if name not in PEOPLE}
        noise, annotators = run.arm.settings.get("noise", 0.0), run.arm.settings.get("annotators", 1)
        dataset, test_images = self._place_of(run, settings)
        more: dict[str, Json] = {"seed": run.seed, **({"test_images": test_images} if test_images else {})}
        shelf = str((self.out / "features").resolve())
        return Task(dataset, {**settings, **more}, float(str(noise)), int(str(annotators)), shelf, self.keep)

    def _place_of(self, run: Run, settings: dict[str, Json]) -> tuple[str, str | None]:
        """The images, and the test images where the images' own place does not have them."""
        size, given = self.comparison.pool_size, settings.get("test_images")
        if size is None:
            return run.dataset, None if given is None else str(given)
        root = settings.get("data_root")
        folder = self.out / "collections" / f"{run.collection}-{size}"
        draw_pool(run.dataset, size, folder, None if root is None else str(root))
        return str(folder), find_splits(run.dataset)[1] if given is None else str(given)

    def _start(self, run: Run) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "budgetal.compare.play", str(self.folder_of(run))]
        n_threads = max(1, (os.cpu_count() or 1) // self.n_jobs)
        environment = {"OMP_NUM_THREADS": str(n_threads), **os.environ}
        with (self.folder_of(run) / LOG).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  (ourselves)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    def _collect(self) -> None:
        for run, process in list(self._processes.items()):
            if process.poll() is None:
                continue
            del self._processes[run]
            if process.returncode in INTERRUPTED:
                raise KeyboardInterrupt
            if process.returncode:
                self._failed[run] = _last_line(self.folder_of(run) / LOG)

    def _end_all(self) -> None:
        for process in self._processes.values():
            # Not SIGINT, which children of a background job ignore. A run may be killed at any time.
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self._processes.clear()

    def _standing(self, run: Run) -> Standing:
        rounds = read_rounds(self.folder_of(run) / ROUNDS)
        n_human, accuracy = (rounds[-1]["n_human"], rounds[-1]["accuracy"]) if rounds else (None, None)
        return Standing(run, self._what(run), len(rounds), n_human, accuracy, self._failed.get(run, ""))

    def _what(self, run: Run) -> What:
        if run in self._failed:
            return "failed"
        if self.result_of(run).exists():
            return "done"
        return "running" if run in self._processes else "waiting"

    def _complain(self) -> None:
        if not self._failed:
            return
        run, reason = next(iter(self._failed.items()))
        others = f" (and {len(self._failed) - 1} more)" if len(self._failed) > 1 else ""
        raise BudgetalError(f"Run {run.folder} failed{others}: {reason}. The others have ended; run again to retry")


def _check_same(folder: Path, before: dict[str, Json], task: dict[str, Json]) -> None:
    """What decides a run's result must be what it was begun with."""
    for name in ("dataset", "noise", "annotators", "settings"):
        if before.get(name) != task[name]:
            what = _first_difference(before.get(name), task[name]) if name == "settings" else name
            raise ProjectError(
                f"{folder} holds a run with another {what!r}: choose another --out, or remove that folder"
            )


def _first_difference(one: Json, other: Json) -> str:
    before, now = (table if isinstance(table, dict) else {} for table in (one, other))
    return next((name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)), "setting")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")
