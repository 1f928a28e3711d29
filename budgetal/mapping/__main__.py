"""python -m budgetal.mapping FOLDER: draw the map that is due, in a process of its own at the lowest priority."""

import os
import sys
from pathlib import Path

from budgetal.mapping.drawing import draw

NICEST = 19


def step_aside() -> None:
    """Run only when nobody else wants the processor."""
    os.nice(NICEST)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    step_aside()
    draw(Path(sys.argv[1]))
