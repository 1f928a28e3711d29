"""What an owner decides while a project runs: settings, classes, pause and end. Several threads may use one."""

import tempfile
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budgetal import rounds
from budgetal.classes import Change
from budgetal.config import Config
from budgetal.errors import BudgetError, ConfigError, DataError, ProjectError
from budgetal.export.labels import export_labels
from budgetal.project import Project
from budgetal.query.strategy import strategies
from budgetal.registry import unknown_name
from budgetal.types import NONE_OF_THESE, Json
from budgetal.validation import WHY_FIXED

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Budget": (
        *("budget", "budget_money", "review_budget", "cost_per_compute_hour", "cost_per_wrong_label"),
        *("audit", "last_audit"),
    ),
    "Asking": (
        *("strategy", "batch", "initial", "plateau_rounds", "gold_per_query", "second_opinions"),
        *("passes", "n_passes", "dropout"),
    ),
    "Training": ("epochs", "learning_rate", "train_batch", "auto_label_weight"),
    "Automatic labels": (
        *("outliers", "ceal_threshold", "ceal_decay", "propagation_certainty", "annotators_agreement"),
    ),
    "Watching": ("map",),
}
"""The settings that can be changed under way, as the page shows them."""
DOWNLOADS = ("csv", "jsonl", "parquet")


@dataclass(frozen=True)
class Setting:
    """One setting. kind: "integer", "number", "text" or "other"; why_fixed: why it cannot be changed, or None."""

    name: str
    value: Json
    kind: str
    choices: tuple[str, ...] | None
    is_optional: bool
    meaning: str
    group: str | None
    why_fixed: str | None


@dataclass(frozen=True)
class ClassRow:
    """A class, and on how many images people's last word is that they are of it."""

    name: str
    n: int


class Steering:
    """Decisions about one project. turn: held while the project is used."""

    def __init__(self, project: Project, turn: AbstractContextManager[object] | None = None) -> None:
        self.project = project
        self.turn = turn or threading.RLock()

    def settings(self) -> list[Setting]:
        """All of them, in the order of Config."""
        with self.turn:
            self.project.catch_up()
            values = self.project.config.model_dump(mode="json")
        schema = Config.model_json_schema()
        return [_setting(name, schema, values[name]) for name in Config.model_fields]

    def configure(self, changes: Mapping[str, Any], annotator: str) -> None:
        """Change settings, all or none. Raises ConfigError, BudgetError or ProjectError."""
        if not changes:
            raise ConfigError("Nothing to change: name a setting and its new value")
        for name in changes:
            if name not in Config.model_fields:
                raise ConfigError(unknown_name("setting", name, list(Config.model_fields)))
        with self.turn:
            self.project.catch_up()
            self.project.configure(annotator=annotator, **changes)

    def classes(self) -> list[ClassRow]:
        """The classes in the order of the model's outputs, then those that belong to none."""
        with self.turn:
            self.project.catch_up()
            counts = Counter(given.label for given in self.project.state.labels.values())
            return [ClassRow(name, counts[name]) for name in (*self.project.config.classes, NONE_OF_THESE)]

    def change_classes(self, change: Change, names: Sequence[str], annotator: str, *, ask_again: bool = False) -> int:
        """As `Project.change_classes`."""
        with self.turn:
            self.project.catch_up()
            return self.project.change_classes(change, *names, annotator=annotator, ask_again=ask_again)

    def pause(self, annotator: str) -> None:
        """Hand out nothing and train nothing until `resume`."""
        with self.turn:
            self.project.pause(annotator)

    def resume(self, annotator: str) -> None:
        """Go on after a pause, or after an end that was chosen. Raises BudgetError or ProjectError where it cannot."""
        with self.turn:
            self.project.catch_up()
            state = self.project.state
            if state.paused:
                self.project.resume(annotator)
            if state.stop_reason is None:
                return
            if not state.ledger.available:
                raise BudgetError("Nothing is left of the budget: raise it, and the run goes on")
            self._check_goes_on()
            self.project.configure(annotator=annotator)

    def _check_goes_on(self) -> None:
        """A run that ends again at once would take another look, with a smaller share of the risk, for nothing."""
        state, plan = self.project.state, self.project.plan
        reason = rounds.stop_reason(state, plan)
        if reason is not None and not rounds.n_for_last_audit(state, plan):
            raise ProjectError(f"The run would end again at once ({reason}): change a setting, and it goes on")

    def stop(self, annotator: str) -> None:
        """End the run; once more changes nothing."""
        with self.turn:
            self.project.catch_up()
            if self.project.state.stop_reason is None:
                self.project.stop(annotator=annotator)

    def exported(self, format: str) -> bytes:
        """All labels as a file: csv, jsonl or parquet. Raises ConfigError for another format."""
        if format not in DOWNLOADS:
            raise ConfigError(unknown_name("download format", format, list(DOWNLOADS)))
        with self.turn:
            self.project.catch_up()
            rows = self.project.label_rows()
        with tempfile.TemporaryDirectory() as folder:
            return export_labels(rows, format, Path(folder) / f"labels.{format}").read_bytes()

    def report(self) -> bytes:
        """The report as it was written last. Raises DataError before there is one."""
        path = self.project.folder / "report.html"
        if not path.is_file():
            raise DataError("There is no report yet: it is written when the run ends")
        return path.read_bytes()


def _setting(name: str, schema: Mapping[str, Any], value: Json) -> Setting:
    field = schema["properties"][name]
    options = [one for one in field.get("anyOf", [field]) if one.get("type") != "null"]
    kinds = {"integer": "integer", "number": "number", "string": "text"}
    kind = kinds.get(options[0].get("type", ""), "other") if len(options) == 1 else "other"
    choices = tuple(strategies) if name == "strategy" else tuple(options[0].get("enum", ())) or None
    return Setting(
        name,
        value,
        "number" if name == "cost_per_wrong_label" and not isinstance(value, list) else kind,
        choices,
        is_optional="anyOf" in field,
        meaning=field.get("description", ""),
        group=next((group for group, names in GROUPS.items() if name in names), None),
        why_fixed=WHY_FIXED.get(name),
    )
