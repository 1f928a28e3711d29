"""Runs small simulations in forked children, so that a killed run costs no second import.

Reads "FOLDER" lines; for each forks a child that stops itself (so that a tracer can attach), then runs a
simulation in FOLDER. Prints the child's pid, and, once it ended, its wait status. Acknowledged labels are
appended to FOLDER.acknowledged, one sample id a line.
"""

import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import torch

from budgetal.project import Project
from budgetal.simulate import simulate
from budgetal.types import Annotation

SETTINGS = {"budget": 40, "audit": 24, "initial": 8, "batch": 4, "tolerance": 0.2, "risk": 0.2}


def main() -> None:
    torch.set_num_threads(1)  # No thread may exist when this process forks.
    images = sys.argv[1]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            run(images, Path(line.strip()))
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


def run(images: str, out: Path) -> None:
    acknowledged = os.open(f"{out}.acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    tell = Project.tell

    def tell_and_note(project: Project, annotations: Iterable[Annotation]) -> None:
        answers = list(annotations)
        tell(project, answers)
        os.write(acknowledged, "".join(f"{answer.sample_id}\n" for answer in answers).encode())

    Project.tell = tell_and_note  # type: ignore[method-assign]
    simulate(images, out, **SETTINGS)


if __name__ == "__main__":
    main()
