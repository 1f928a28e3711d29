"""A project: ask for labels, tell them, and let the learner do what is due in between.

project = Project.create("runs/birds", images="birds/", budget=500, tolerance=0.05)
while query := project.ask():
    project.tell(annotate(query))
"""

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from budgetal import journal, rounds
from budgetal.annotators.after_review import AfterReview
from budgetal.blindness import may_be_helped
from budgetal.budget.plan import BudgetPlan, plan_budget
from budgetal.classes import Change, class_change
from budgetal.config import Config, class_named, load_config, make_config, save_config
from budgetal.errors import BudgetError, ConfigError, DataError, ProjectError
from budgetal.export.labels import LabelRow
from budgetal.learner import Learner
from budgetal.logbook import Logbook
from budgetal.loop import ClassesChangedError, Loop
from budgetal.opinions import is_asked_of_another, n_unasked, none_to_ask_again
from budgetal.outputs import write_outputs
from budgetal.planning import Planner
from budgetal.registry import unknown_name
from budgetal.results import label_rows
from budgetal.review_list import check_blind, n_reviewed, outcome
from budgetal.setup import SETTINGS, set_up
from budgetal.state import GIVEN, State
from budgetal.store.events import NewEvent
from budgetal.types import NONE_OF_THESE, Annotation, Json, Quarantined, Query, Sample
from budgetal.validation import OF_CLASSES, check_audit, check_changes, check_money, check_names
from budgetal.workspace import OnProgress, Workspace, no_progress


class Project:
    """One collection, one budget, one journal. Open it with `Project.create` or `Project.open`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.on_progress: OnProgress = no_progress
        self._logbook = Logbook(folder)
        self._seconds_to_open = 0.0
        self._idle_since_s: float | None = None

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
        simulated: Mapping[str, Json] | None = None,
        **settings: Any,
    ) -> "Project":
        """Make a project folder for the images at `images` (a folder, manifest, .npy folder or name).

        `settings` are the fields of Config. With `use_given_labels` the labels that come with the images
        count as labelled at no cost. simulated: how people are played, noted beside the settings. Raises InputError (a
        subclass) when anything does not fit.
        """
        began_s = time.monotonic()
        draft = make_config(images=images, budget=budget, **{"classes": (), **settings})
        set_up(Path(folder), draft, use_given_labels=use_given_labels, on_progress=on_progress, simulated=simulated)
        project = cls(Path(folder))
        project.on_progress = on_progress
        project._seconds_to_open = time.monotonic() - began_s
        return project

    @classmethod
    def open(cls, folder: str | Path) -> "Project":
        """Open a project folder; edits to its budgetal.toml become an event. Raises ProjectError."""
        project = cls(Path(folder))
        project._adopt_settings()
        return project

    def _adopt_settings(self) -> None:
        path = self.folder / SETTINGS
        if not path.exists():
            save_config(self.config, path)
            return
        wanted, current = load_config(path).model_dump(), self.config.model_dump()
        if wanted["classes"] in self.state.former_classes:
            # Whoever changed the classes was killed before the file was written.
            wanted = {**wanted, **{name: current[name] for name in OF_CLASSES}}
            save_config(make_config(**wanted), path)
        changes = {name: value for name, value in wanted.items() if value != current[name]}
        if changes:
            self.configure(**changes)

    # -- what is known -------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """What the journal says, as far as it was read."""
        return self._logbook.state

    @property
    def logbook(self) -> Logbook:
        """The journal and the state in step, for those who take part in more than asking and telling."""
        return self._logbook

    @property
    def loop(self) -> Loop:
        """The steps between two queries; `budgetal work` takes them one by one."""
        return self._loop

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
        return self._plan_for(self.config)

    @cached_property
    def learner(self) -> Learner:
        """The machine's part of a round."""
        samples = self.samples  # Read first: the workspace then knows which images to expect.
        return Learner(self.workspace, self.workspace.pool(samples), self.plan)

    @cached_property
    def _loop(self) -> Loop:
        loop = Loop(self.folder, self._logbook, self.learner, self.plan, self._on_progress)
        loop.worked_since_s -= self._seconds_to_open
        return loop

    def _plan_for(self, config: Config) -> BudgetPlan:
        n_given = sum(label.query_id == GIVEN for label in self.state.labels.values())
        return plan_budget(config, self.state.n_samples, n_given)

    # -- ask and tell --------------------------------------------------------------------------

    def ask(self, n: int | None = None, annotator: str | None = None) -> Query | None:
        """The images to label next, at most `n` of them, or None when the run has ended.

        annotator: who is going to answer; images that wait for another person's opinion are then left out.
        A query that is not answered to the end comes again with what is left of it. Otherwise the learner
        first does what is due: fit, predict, label automatically, measure. Raises BudgetError when `n` is
        not positive or more than the budget has left, ProjectError when all that is open waits for others, or during a
        pause.
        """
        if n is not None and n < 1:
            raise BudgetError(f"Cannot ask for {n} labels: ask for 1 or more")
        self.catch_up()
        if self.state.paused:
            raise ProjectError("Nothing is asked while the project is paused: resume() it, or on the settings page")
        query = rounds.open_query(self.state)
        if query is None:
            if n is not None and self.state.stop_reason is None:
                self.state.ledger.reserve(n)
            query = self._next_query(n)
        if query is not None and annotator is not None:
            query = self._for(annotator)
        return query and dataclasses.replace(query, sample_ids=query.sample_ids[:n])

    def _for(self, annotator: str) -> Query:
        query = rounds.open_query_for(self.state, annotator)
        if query is None:
            raise ProjectError(
                f"Nothing to ask {annotator!r}: {len(self.state.open_items)} images wait for somebody else's opinion"
            )
        return query

    def _next_query(self, n: int | None) -> Query | None:
        # People's time since the last query is not the machine's.
        idle_since_s, self._idle_since_s = self._idle_since_s, None
        if idle_since_s is not None:
            self._loop.worked_since_s += time.monotonic() - idle_since_s
        while True:
            try:
                return self._loop.next_query(n)
            except ClassesChangedError:
                self._forget_settings()
            finally:
                self._idle_since_s = time.monotonic()

    def tell(self, annotations: Iterable[Annotation]) -> None:
        """Record people's answers: all of them or, on any error, none. On return they are on disk.

        Telling the same key twice changes nothing; a new answer for a labelled image corrects it. Where a query of
        purpose `opinion` asks, another person's answer is one more opinion, and one's own a correction. An image of no
        class has the label `NONE_OF_THESE`. Raises DataError for any other label that is no class, ProjectError for
        an image nobody was asked about, a key that stands for another answer or a suggestion where none may be shown
        (`blindness`), BudgetError when a skipped image's
        label is no longer paid for.
        """
        with self._logbook.transaction() as transaction:
            answers = list(annotations)
            events = [self._answer(annotation) for annotation in answers]
            self._reserve_unplanned(answers)
            for event, stored in zip(events, transaction.append(events), strict=True):
                if self._as_now(stored.data) != event.data:
                    raise ProjectError(f"Key {event.key!r} stands for another answer: use a new key for each")
        self.catch_up()

    def skip(self, sample_id: str, *, broken: bool = False) -> None:
        """Set an image aside that nobody can label; it costs nothing and is not asked again.

        broken: there is nothing to see in it, so it gets no label by the machine either.
        """
        with self._logbook.transaction() as transaction:
            query_id = self._query_id(sample_id)
            if sample_id in self.state.labels and not is_asked_of_another(self.state, sample_id):
                raise ProjectError(f"Cannot skip image {sample_id}: it has a label. Undo that first.")
            transaction.append([journal.skipped(sample_id, query_id, broken=broken)])
        self.catch_up()

    def undo(self, sample_id: str) -> None:
        """Take the last answer for an image (or a skip) back; the image is asked again."""
        with self._logbook.transaction() as transaction:
            query_id = self._query_id(sample_id)
            if sample_id in self.state.open_items:
                raise ProjectError(f"Nothing to undo: image {sample_id} has no answer yet")
            if query_id == GIVEN:
                raise ProjectError(f"Image {sample_id} came with its label: tell() a new one to correct it")
            is_skip = sample_id in self.state.skipped or (sample_id, query_id) in self.state.skipped_opinions
            if is_skip and not self.state.is_audit(sample_id):
                self.state.ledger.reserve(1)
            transaction.append([journal.item_event("undone", sample_id, query_id)])
        self.catch_up()

    def configure(self, *, annotator: str | None = None, **changes: Any) -> None:
        """Change settings of a running project, e.g. a larger budget. Raises ConfigError or ProjectError.

        annotator: who changes them, for the journal.
        """
        check_changes(changes)
        if "strategy" in changes and self.state.fallback_round is not None:
            raise ConfigError(
                f"Cannot change the strategy to {changes['strategy']!r}: queries are random since round "
                f"{self.state.fallback_round}, when the guard found the strategy worse"
            )
        config = make_config(**{**self.config.model_dump(), **changes})
        check_names(config)
        plan = self._plan_for(config)
        reopens, replans = rounds.reopens(changes), rounds.replans(self.state, config, changes)
        if reopens:
            check_blind(dataclasses.replace(self.state, config=config), plan)
        if reopens:
            check_money(dataclasses.replace(self.state, config=config).ledger)
        if "audit" in changes:
            left = dataclasses.replace(self.state, config=config).ledger.available
            check_audit(config, len(self.state.audit), left)
        self._logbook.append([journal.configured(changes, annotator, reopens=reopens, replans=replans)])
        save_config(config, self.folder / SETTINGS)
        self._forget_settings()

    def change_classes(self, change: Change, *names: str, annotator: str | None = None, ask_again: bool = False) -> int:
        """Add a class (its name), rename one (old, new) or merge one into another (that one, the other).

        Labels given so far follow. After "add" and "merge" the automatic labels are withdrawn until a model that knows
        the classes is fitted and judged. ask_again: take answers "none of these" back, so that people see those images
        again. Returns how many these were. Raises ConfigError, and then changes nothing.
        """
        with self._logbook.transaction() as transaction:
            changed = journal.classes_changed(class_change(self.config, change, names), annotator)
            none = none_to_ask_again(self.state) if ask_again else ()
            taken_back = [journal.item_event("undone", i, self.state.labels[i].query_id) for i in none]
            transaction.append([changed, *taken_back])
        self.catch_up()
        save_config(self.config, self.folder / SETTINGS)
        return len(none)

    def pause(self, annotator: str | None = None) -> None:
        """Hand out no images and train no model until `resume`; answers are still taken."""
        self._logbook.append([NewEvent("paused", {"annotator": annotator})])

    def resume(self, annotator: str | None = None) -> None:
        """Go on after `pause`."""
        self._logbook.append([NewEvent("resumed", {"annotator": annotator})])

    def stop(self, reason: str = "stopped by hand", annotator: str | None = None) -> None:
        """End the run: open queries are withdrawn, and the next `ask` issues the final certificate."""
        self._logbook.append([journal.stopped(reason, annotator)])

    # -- what comes out ------------------------------------------------------------------------

    def label_rows(self) -> list[LabelRow]:
        """The label of every image, with its provenance, in row order."""
        return label_rows(self.state, self.samples, self.learner)

    def forecast(self, coverage: float | None = None, accuracy: float | None = None) -> dict[str, Json]:
        """What further labels would buy and cost, and what it takes to reach a target, each with its 80 % band.

        It reads audit answers: whoever ends the run because of it has chosen the end (docs/method.md). Raises
        ConfigError for a target that is no share.
        """
        planner = Planner(self.state, self.workspace.pool(self.samples), self.workspace.arrays, self.plan.batch)
        return planner.forecast(coverage, accuracy)

    def after_review(self) -> AfterReview | None:
        """What the certificate says after people's reviews; None without one, or with nothing reviewed."""
        return outcome(self.state, self.workspace.pool(self.samples), self.workspace.arrays)

    def n_reviewed(self) -> int:
        """Automatic labels in force in whose place people's reviews stand."""
        return n_reviewed(self.state, self.workspace.pool(self.samples), self.workspace.arrays)

    def write_outputs(self, truth: Mapping[str, str] | None = None) -> dict[str, Json]:
        """Write labels.csv, report.json, report.html and model/ into the folder; return the report's figures.

        truth: a simulation's answers by sample id, for the true error rates.
        """
        self.on_progress("writing the report", 0, 1)
        return write_outputs(self.state, self.samples, self.quarantined, self.learner, truth)

    # -- the journal ---------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Read what other processes wrote since."""
        self._logbook.catch_up()
        space = self.__dict__.get("workspace")
        # Compared with what was built, since whoever takes part in the journal may have read the change already.
        if space is not None and space.config != self.config:
            self._forget_settings()

    def close(self) -> None:
        """Release the journal. The object is not usable afterwards."""
        self._logbook.close()

    def _forget_settings(self) -> None:
        """Build what depends on the settings anew at its next use."""
        for name in ("workspace", "_index", "plan", "learner", "_loop"):
            self.__dict__.pop(name, None)

    def _answer(self, annotation: Annotation) -> NewEvent:
        known = [*self.config.classes, NONE_OF_THESE]
        label = class_named(self.config, annotation.label)
        if label not in known:
            raise DataError(unknown_name("label", annotation.label, known))
        query_id = self._query_answered(annotation)
        named = self._named_as_now(annotation)
        self._check_suggestion(named, query_id)
        return journal.labelled(named, query_id)

    def _named_as_now(self, annotation: Annotation) -> Annotation:
        """An answer with its classes as they are called now."""
        shown = annotation.suggestion
        suggestion = None if shown is None else class_named(self.config, shown)
        return dataclasses.replace(annotation, label=class_named(self.config, annotation.label), suggestion=suggestion)

    def _check_suggestion(self, annotation: Annotation, query_id: int) -> None:
        if annotation.suggestion is None:
            return
        if annotation.suggestion not in self.config.classes:
            raise DataError(unknown_name("suggested label", annotation.suggestion, list(self.config.classes)))
        if not may_be_helped(self.state, annotation.sample_id, query_id):
            raise ProjectError(
                f"Cannot record an answer for image {annotation.sample_id} that was given with a suggestion: people "
                "answer this image by themselves. Show it without one, and send the answer without `suggestion`."
            )

    def _as_now(self, data: Mapping[str, Json]) -> dict[str, Json]:
        """An answer that was stored, with its class as it is called now."""
        names = {name: class_named(self.config, str(data[name])) for name in ("label", "suggestion") if name in data}
        return {**data, **names}

    def _query_answered(self, annotation: Annotation) -> int:
        """The query of an answer; of one that corrects its giver's own, the query of that."""
        sample_id = annotation.sample_id
        answers = self.state.answers_of(sample_id)
        mine = next((answer for answer in answers if answer.annotator == annotation.annotator), None)
        if mine is None or not (is_asked_of_another(self.state, sample_id) or sample_id in self.state.opinions):
            return self._query_id(sample_id)
        if is_asked_of_another(self.state, sample_id) and mine.label == annotation.label and annotation.key is None:
            raise ProjectError(
                f"Image {sample_id} waits for another person: {annotation.annotator!r} has given this answer already. "
                "Ask with `annotator`, or name somebody else in the annotation."
            )
        return mine.query_id

    def _reserve_unplanned(self, annotations: Sequence[Annotation]) -> None:
        """Answers for images that were skipped, or whose query was withdrawn, need budget of their own."""
        ids = {annotation.sample_id for annotation in annotations}
        kept = {sample_id for sample_id in self.state.skipped if self.state.is_audit(sample_id)}
        paid_for = self.state.labels.keys() | self.state.open_items.keys() | kept
        self.state.ledger.reserve(len(ids - paid_for) + n_unasked(self.state, annotations))

    def _query_id(self, sample_id: str) -> int:
        query_id = rounds.query_id_of(self.state, sample_id)
        if query_id is None:
            raise ProjectError(f"Cannot record an answer for image {sample_id}: it is in no query. Call ask() first.")
        return query_id

    def _on_progress(self, what: str, done: int, total: int) -> None:
        self.on_progress(what, done, total)
