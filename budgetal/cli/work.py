"""The command that runs the learner as a process of its own."""

import os
import signal
import threading
import time
from types import FrameType
from typing import Annotated

import typer

from budgetal.cli import options
from budgetal.cli.app import app, progress_console
from budgetal.presence import Presence
from budgetal.project import Project
from budgetal.worker import Worker

FollowStdin = Annotated[bool, typer.Option("--until-stdin-closes", help="End with the program that started it.")]


@app.command(epilog="Example: budgetal work runs/birds")
def work(folder: options.ProjectFolder, until_stdin_closes: FollowStdin = False) -> None:
    """Train, judge and ask while people label; Ctrl-C ends it, and the same command goes on."""
    over = _Interrupted()
    signal.signal(signal.SIGTERM, over.interrupt)
    # Children of a background job ignore Ctrl-C, which is meant for others.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, over.interrupt)
    project = Project.open(folder)
    if until_stdin_closes:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    with Presence(project.logbook) as presence:
        worker = Worker(project, presence, _Lines().show)
        worker.run(over)
    # The interruption was swallowed on its way here, but for that `run` never ends.
    raise KeyboardInterrupt


class _Interrupted:
    """Whether a signal asked to end, even where a library caught the KeyboardInterrupt and went on.

    Python drops one that is raised in a finaliser or a callback. The mark stays, and the work ends after its step.
    """

    def __init__(self) -> None:
        self._is_asked = False

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """The signals' handler: remember, then raise KeyboardInterrupt."""
        self._is_asked = True
        signal.default_int_handler(number, frame)

    def is_set(self) -> bool:
        """Whether a signal came."""
        return self._is_asked

    def wait(self, timeout: float) -> bool:
        """Sleep, which a signal ends by KeyboardInterrupt, unless one came before."""
        if not self._is_asked:
            time.sleep(timeout)
        return self._is_asked


class _Lines:
    """A line for each round, on stderr."""

    def __init__(self) -> None:
        self._shown = 0

    def show(self, project: Project) -> None:
        for record in project.state.rounds[self._shown :]:
            accuracy = "" if record.audit_accuracy is None else f", audit accuracy {record.audit_accuracy:.1%}"
            progress_console.print(f"round {record.round}: {record.n_human:,} labels{accuracy}", highlight=False)
        self._shown = len(project.state.rounds)


def _end_with_stdin() -> None:
    # Not sys.stdin, whose lock a thread that waits would hold when the interpreter ends.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
