"""What a simulation can know and a project cannot: the true accuracy of all labels after each round."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budgetal.project import Project
from budgetal.results import label_rows
from budgetal.types import AUTOMATIC, NONE_OF_THESE, Json


def measured(project: Project, truth: Mapping[str, str]) -> dict[str, Json]:
    """The figures of the newest round, with all labels compared with the truth.

    n_human: labels by people so far, the audit among them. accuracy: share of the pool whose label is right, be it
    people's, automatic or the model's guess for the rest. coverage: share labelled by people or automatically.
    class_recall: the accuracy within each true class, in the order of the project's classes.
    """
    state, record = project.state, project.state.rounds[-1]
    rows = label_rows(state, project.samples, project.learner, with_waiting=True)
    true = np.array([truth[row.sample_id] for row in rows])
    right = true == np.array([row.label for row in rows])
    automatic = np.array([row.provenance in AUTOMATIC for row in rows])
    of_a_class = true != NONE_OF_THESE
    return {
        "round": record.round,
        "n_human": state.n_paid,
        "n_audit": sum(state.is_audit(sample_id) for sample_id in state.labels),
        "n_auto": int(automatic.sum()),
        "coverage": (len(state.labels) + int(automatic.sum())) / len(rows),
        "accuracy": _share(right[of_a_class]),
        "auto_error": _share(~right[automatic]),
        "upper_bound": state.certificate.upper_bound if state.certificate else None,
        "test_accuracy": record.test_accuracy,
        "audit_accuracy": record.audit_accuracy,
        "class_recall": [_share(right[true == name]) for name in state.settings.classes],
        "train_loss": record.train_loss,
        "seconds": record.seconds,
    }


def _share(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


class Recorder:
    """Writes the figures of each round to a file of JSON lines, once, however often the run is killed.

    To be called after every step of the loop, before the next answers are told: the labels are then the round's.
    """

    def __init__(self, path: Path, truth: Mapping[str, str]) -> None:
        _mend(path)
        self.path = path
        self.truth = truth
        self._n_recorded = len(read_rounds(path))

    def __call__(self, project: Project) -> None:
        """Record the newest round, unless that was done."""
        if len(project.state.rounds) <= self._n_recorded:
            return
        self._n_recorded = len(project.state.rounds)
        with self.path.open("a", encoding="utf-8") as sink:
            sink.write(json.dumps(measured(project, self.truth)) + "\n")


def _mend(path: Path) -> None:
    """Remove a last line that a kill cut off."""
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)


def read_rounds(path: Path) -> list[dict[str, Any]]:
    """The rounds recorded so far; a line that is being written is left out."""
    whole = path.read_bytes().rpartition(b"\n")[0] if path.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]
