"""One run of a comparison, in a process of its own: `python -m budgetal.compare.play FOLDER`."""

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budgetal.compare.measure import Recorder, measured, read_rounds
from budgetal.compare.sharing import locked, share_features
from budgetal.errors import BudgetalError, InputError
from budgetal.files import write_atomic
from budgetal.simulate import open_or_create, people, run, true_labels
from budgetal.types import Json

TASK, ROUNDS, RESULT, LOG, PROJECT, LOCK = "run.json", "rounds.jsonl", "result.json", "log.txt", "project", "lock"


@dataclass(frozen=True)
class Task:
    """What run.json says. keep: leave the project's folder when its figures are written."""

    dataset: str
    settings: Mapping[str, Any]
    noise: float
    annotators: int
    shelf: str
    keep: bool


def play(folder: Path) -> dict[str, Json]:
    """Go on with the run in `folder`, or begin it, to its end; write and return its result.

    Where another process is at it, this one waits for its end. Raises InputError (a subclass) where the settings
    do not fit the images.
    """
    with locked(folder / LOCK):
        if (folder / RESULT).exists():
            return dict(json.loads((folder / RESULT).read_text(encoding="utf-8")))
        return _played(folder)


def _played(folder: Path) -> dict[str, Json]:
    task = Task(**json.loads((folder / TASK).read_text(encoding="utf-8")))
    project = open_or_create(task.dataset, folder / PROJECT, **task.settings)
    share_features(project, Path(task.shelf))
    truth = true_labels(project)
    record = Recorder(folder / ROUNDS, truth)
    run(project, people(project.config, truth, task.noise, task.annotators), record)
    result = _result(folder, measured(project, truth), project.state.stop_reason, project.state.fallback_round)
    project.close()
    write_atomic(folder / RESULT, (json.dumps(result, indent=1) + "\n").encode())
    if not task.keep:
        shutil.rmtree(folder / PROJECT)
    return result


def _result(folder: Path, end: dict[str, Json], stop_reason: str | None, fallback_round: int | None) -> dict[str, Json]:
    """final: the figures with the last certificate, which may label more than the last round's."""
    return {
        "rounds": list(read_rounds(folder / ROUNDS)),
        "final": end,
        "stop_reason": stop_reason,
        "fallback_round": fallback_round,
    }


def main() -> None:
    """Exit 0 when the run has ended, 2 with one line where its settings do not fit, 1 for other failures."""
    try:
        play(Path(sys.argv[1]))
    except BudgetalError as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        sys.exit(2 if isinstance(error, InputError) else 1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
