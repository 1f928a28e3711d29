"""A project: ask for labels, tell them, and let the learner do what is due in between.

project = Project.create("runs/birds", images="birds/", budget=500, tolerance=0.05)
while query := project.ask():
    project.tell(annotate(query))
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from budgetal import journal, rounds
from budgetal.budget.plan import BudgetPlan, plan_budget
from budgetal.config import Config, load_config, make_config, save_config
from budgetal.errors import DataError, ProjectError
from budgetal.export.labels import LabelRow, export_labels
from budgetal.files import write_atomic
from budgetal.illustrated import Illustrator
from budgetal.learner import Learner
from budgetal.registry import unknown_name
from budgetal.report.html import render_report
from budgetal.results import label_rows, summarise, true_curve
from budgetal.state import GIVEN, State
from budgetal.store.events import NewEvent
from budgetal.store.store import Transaction, open_store
from budgetal.types import Annotation, EpochRecord, Json, Purpose, Quarantined, Query, Sample
from budgetal.validation import check_changes, check_names, with_classes
from budgetal.workspace import OnProgress, Workspace, no_progress

JOURNAL = "journal.db"
SETTINGS = "budgetal.toml"


class Project:
    """One collection, one budget, one journal. Open it with `Project.create` or `Project.open`."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self.folder = folder
        self.on_progress: OnProgress = no_progress
        self._worked_since_s = time.monotonic()
        self._store = open_store(folder / JOURNAL, create=create)
        self.state = State()
        self.catch_up()
        self._idle_since_s = time.monotonic()

    # -- opening -------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: str | Path,
        *,
        images: str,
        budget: int,
        use_given_labels: bool = False,
        on_progress: OnProgress = no_progress,
        **settings: Any,
    ) -> "Project":
        """Make a project folder for the images at `images` (a folder, manifest, .npy folder or name).

        `settings` are the fields of Config. With `use_given_labels` the labels that come with the images
        count as labelled at no cost. Raises InputError (a subclass) when anything does not fit.
        """
        began_s = time.monotonic()
        folder = Path(folder)
        if cls.exists_in(folder):
            raise ProjectError(f"{folder} is a project already: use it, or choose another folder")
        draft = make_config(images=images, budget=budget, **{"classes": (), **settings})
        check_names(draft)
        workspace = Workspace(folder, draft, on_progress)
        on_progress("reading images", 0, 1)
        config = with_classes(draft, workspace.collection)
        plan_budget(config, len(workspace.collection.samples))
        project = cls(folder, create=True)
        project.on_progress = on_progress
        project._begin(config, workspace, use_given_labels)
        project._worked_since_s = began_s
        return project

    @classmethod
    def exists_in(cls, folder: Path) -> bool:
        """Whether `folder` holds a project whose set-up came to its end."""
        if not (folder / JOURNAL).exists():
            return False
        project = cls(folder, create=True)
        project.close()
        return project.state.index_ref is not None

    @classmethod
    def open(cls, folder: str | Path) -> "Project":
        """Open a project folder; edits to its budgetal.toml become an event. Raises ProjectError."""
        project = cls(Path(folder))
        project._adopt_settings()
        return project

    def _begin(self, config: Config, workspace: Workspace, use_given_labels: bool) -> None:
        events = [
            journal.created(config),
            journal.indexed(workspace.write_index()),
        ]
        if use_given_labels:
            events += [
                journal.labelled(Annotation(sample.sample_id, sample.label, "given"), GIVEN)
                for sample in workspace.collection.samples
                if sample.label is not None
            ]
        save_config(config, self.folder / SETTINGS)
        self._append(events)

    def _adopt_settings(self) -> None:
        path = self.folder / SETTINGS
        if not path.exists():
            save_config(self.config, path)
            return
        wanted, current = load_config(path).model_dump(), self.config.model_dump()
        changes = {name: value for name, value in wanted.items() if value != current[name]}
        if changes:
            self.configure(**changes)

    # -- what is known -------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self.state.settings

    @cached_property
    def workspace(self) -> Workspace:
        """The folder's arrays and images."""
        return Workspace(self.folder, self.config, self._on_progress)

    @cached_property
    def _index(self) -> tuple[tuple[Sample, ...], tuple[Quarantined, ...]]:
        if self.state.index_ref is None:
            raise ProjectError(f"{self.folder} was not set up to the end: run `budgetal init` again")
        return self.workspace.read_index(self.state.index_ref)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Every image, in row order."""
        return self._index[0]

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """Files that could not be used, with the reason."""
        return self._index[1]

    @cached_property
    def plan(self) -> BudgetPlan:
        """How the budget is split."""
        n_given = sum(label.query_id == GIVEN for label in self.state.labels.values())
        return plan_budget(self.config, len(self.samples), n_given)

    @cached_property
    def learner(self) -> Learner:
        """The machine's part of a round."""
        space = self.workspace
        pool = space.pool(self.samples)
        return Learner(space, pool, self.plan)

    # -- ask and tell --------------------------------------------------------------------------

    def ask(self, n: int | None = None) -> Query | None:
        """The images to label next, or None when the run has ended.

        A query that is not answered to the end comes again with what is left of it. Otherwise the learner
        first does what is due: fit, predict, label automatically, measure. At most `n` images (None: as
        planned). Raises BudgetError when `n` is more than the budget has left.
        """
        # The time that people took for the last query is not the machine's.
        self._worked_since_s += time.monotonic() - self._idle_since_s
        try:
            return self._ask(n)
        finally:
            self._idle_since_s = time.monotonic()

    def _ask(self, n: int | None) -> Query | None:
        self.catch_up()
        waiting = rounds.open_query(self.state)
        if waiting:
            return waiting
        self._learn()
        self._stop_if_due()
        if self.state.stop_reason is not None:
            self._finish()
            return None
        purpose = rounds.next_purpose(self.state, self.plan)
        return self._ask_for(purpose, n or rounds.planned_size(self.state, self.plan, purpose))

    def tell(self, annotations: Iterable[Annotation]) -> None:
        """Record people's answers: all of them or, on any error, none. On return they are on disk.

        Telling the same key twice changes nothing; a new answer for a labelled image corrects it.
        Raises DataError for a label that is no class and ProjectError for an image nobody was asked about.
        """
        with self._transaction() as transaction:
            events = [self._answer(annotation) for annotation in annotations]
            transaction.append(events)
        self.catch_up()

    def skip(self, sample_id: str) -> None:
        """Set an image aside that nobody can label; it costs nothing and is not asked again."""
        self._on_known_item("skipped", sample_id)

    def undo(self, sample_id: str) -> None:
        """Take an answer (or a skip) back; the image is asked again."""
        self._on_known_item("undone", sample_id)

    def configure(self, **changes: Any) -> None:
        """Change settings of a running project, e.g. a larger budget. Raises ConfigError or ProjectError."""
        check_changes(changes)
        config = make_config(**{**self.config.model_dump(), **changes})
        check_names(config)
        plan_budget(config, self.state.n_samples)
        save_config(config, self.folder / SETTINGS)
        self._append([NewEvent("configured", {"changes": changes})])
        for name in ("workspace", "plan", "learner"):
            self.__dict__.pop(name, None)

    def stop(self, reason: str = "stopped by hand") -> None:
        """End the run at the next `ask`, which then issues the final certificate."""
        self._append([NewEvent("stopped", {"reason": reason})])

    # -- what comes out ------------------------------------------------------------------------

    def label_rows(self) -> list[LabelRow]:
        """The label of every image, with its provenance, in row order."""
        return label_rows(self.state, self.samples, self.learner)

    def write_outputs(self, truth: Mapping[str, str] | None = None) -> dict[str, Json]:
        """Write labels.csv, report.json, report.html and model/ into the folder; return the report's figures.

        truth: a simulation's answers by sample id, for the true error rates.
        """
        self.on_progress("writing the report", 0, 1)
        rows = self.label_rows()
        curve = true_curve(self.state, self.samples, self.learner, truth) if truth else ()
        summary = summarise(self.state, rows, truth, curve)
        export_labels(rows, "csv", self.folder / "labels.csv")
        write_atomic(self.folder / "report.json", (json.dumps(summary, indent=1) + "\n").encode())
        illustrator = Illustrator(self.state, self.samples, self.quarantined, self.learner)
        page = render_report(illustrator.report_data(rows, summary))
        write_atomic(self.folder / "report.html", page.encode())
        if self.state.model is not None:
            self.workspace.engine.save_model(self.state.model, self.folder / "model")
        return summary

    # -- the journal ---------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Read what other processes wrote since."""
        self.state.apply(self._store.read(self.state.seq))

    def close(self) -> None:
        """Release the journal. The object is not usable afterwards."""
        self._store.close()

    def _append(self, events: list[NewEvent]) -> None:
        with self._transaction() as transaction:
            transaction.append(events)
        self.catch_up()

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        """The only writer, with a state that is up to date: what is decided inside holds at commit."""
        with self._store.transaction() as transaction:
            self.state.apply(transaction.read(self.state.seq))
            yield transaction

    def _answer(self, annotation: Annotation) -> NewEvent:
        if annotation.label not in self.config.classes:
            raise DataError(unknown_name("label", annotation.label, list(self.config.classes)))
        sample_id = annotation.sample_id
        query_id = self._query_id(sample_id)
        return journal.labelled(annotation, query_id)

    def _query_id(self, sample_id: str) -> int:
        query_id = rounds.query_id_of(self.state, sample_id)
        if query_id is None:
            raise ProjectError(f"Cannot record an answer for image {sample_id}: it is in no query. Call ask() first.")
        return query_id

    def _on_known_item(self, kind: str, sample_id: str) -> None:
        with self._transaction() as transaction:
            query_id = self._query_id(sample_id)
            if kind == "undone" and sample_id in self.state.open_items:
                raise ProjectError(f"Nothing to undo: image {sample_id} has no answer yet")
            transaction.append([journal.item_event(kind, sample_id, query_id)])
        self.catch_up()

    # -- what the loop does between two queries ------------------------------------------------

    def _learn(self) -> None:
        """Fit and judge when labels came since the last fit, or when a fit was not judged yet."""
        round = len(self.state.rounds)
        if rounds.learner_due(self.state, self.plan) == "fit":
            self.on_progress("training", 0, 1)
            self._append_if_due("fit", [self.learner.fit(self.state, round, self._on_epoch)])
        if rounds.learner_due(self.state, self.plan) == "assess":
            self.on_progress("predicting", 0, 1)
            self._append_if_due("assess", self.learner.assess(self.state, round, self._seconds_worked))
            self._worked_since_s = time.monotonic()
            self.workspace.prune(self.state)

    def _append_if_due(self, step: rounds.Due, events: list[NewEvent]) -> None:
        """Write a step's events unless another process, with the same result, was faster."""
        round = len(self.state.rounds)
        with self._transaction() as transaction:
            if rounds.learner_due(self.state, self.plan) == step and len(self.state.rounds) == round:
                transaction.append(events)
        self.catch_up()

    def _seconds_worked(self) -> float:
        return time.monotonic() - self._worked_since_s

    def _ask_for(self, purpose: Purpose, n: int) -> Query:
        round = len(self.state.rounds)
        self.on_progress(f"choosing {n} images", 0, 1)
        pick = self.learner.pick(self.state, purpose, n, round)
        with self._transaction() as transaction:
            already = rounds.open_query(self.state)
            if already:  # Another process asked in the meantime: its query is served first.
                return already
            self.state.ledger.reserve(len(pick.sample_ids))
            query_id = self.state.next_query_id()
            event = journal.asked(query_id, purpose, round, pick.sample_ids, pick.passed_over, pick.weights)
            transaction.append([event])
        self.catch_up()
        return self.state.queries[query_id]

    def _stop_if_due(self) -> None:
        reason = rounds.stop_reason(self.state)
        if self.state.stop_reason is None and reason is not None:
            self._append([NewEvent("stopped", {"reason": reason})])

    def _finish(self) -> None:
        """The last certificate, once. A target reached was certified by the look that reached it."""
        if self.state.finished:
            return
        keep = self.state.stop_reason == rounds.TARGET
        last = None if keep else self.learner.final_labels(self.state)
        self._append([*([last] if last else []), NewEvent("finished", {})])

    def _on_progress(self, what: str, done: int, total: int) -> None:
        self.on_progress(what, done, total)

    def _on_epoch(self, epoch: EpochRecord) -> None:
        self._append([journal.epoch_ended(len(self.state.rounds), epoch)])
