"""A project: ask for labels, tell them, and let the learner do what is due in between.

project = Project.create("runs/birds", images="birds/", budget=500, tolerance=0.05)
while query := project.ask():
    project.tell(annotate(query))
"""

import dataclasses
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from budgetal import answering, changes, journal, rounds
from budgetal.annotators.after_review import AfterReview
from budgetal.budget.plan import BudgetPlan
from budgetal.classes import Change
from budgetal.config import Config, make_config
from budgetal.errors import BudgetError, ProjectError
from budgetal.export.labels import LabelRow
from budgetal.gold import check_later, read_gold
from budgetal.learner import Learner
from budgetal.logbook import Logbook
from budgetal.loop import ClassesChangedError, Loop
from budgetal.outputs import write_outputs
from budgetal.parts import Parts
from budgetal.planning import Planner
from budgetal.results import label_rows
from budgetal.review_list import n_reviewed, outcome
from budgetal.setup import SETTINGS, set_up
from budgetal.state import State
from budgetal.store.events import NewEvent
from budgetal.types import Annotation, Json, Quarantined, Query, Sample
from budgetal.workspace import OnProgress, Workspace, no_progress


class Project:
    """One collection, one budget, one journal. Open it with `Project.create` or `Project.open`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.on_progress: OnProgress = no_progress
        self._logbook = Logbook(folder)
        self._built: Parts | None = None
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
        gold: str | Path | None = None,
        on_progress: OnProgress = no_progress,
        simulated: Mapping[str, Json] | None = None,
        **settings: Any,
    ) -> "Project":
        """Make a project folder for the images at `images` (a folder, manifest, .npy folder or name).

        `settings` are the fields of Config. With `use_given_labels` the labels that come with the images
        count as labelled at no cost. gold: a table of images and their true labels, to test people with. simulated:
        how people are played, noted beside the settings. Raises InputError (a subclass) when anything does not fit.
        """
        began_s = time.monotonic()
        draft = make_config(images=images, budget=budget, **{"classes": (), **settings})
        set_up(
            Path(folder),
            draft,
            use_given_labels=use_given_labels,
            gold=None if gold is None else Path(gold),
            on_progress=on_progress,
            simulated=simulated,
        )
        project = cls(Path(folder))
        project.on_progress = on_progress
        project._seconds_to_open = time.monotonic() - began_s
        return project

    @classmethod
    def open(cls, folder: str | Path) -> "Project":
        """Open a project folder; edits to its budgetal.toml become an event. Raises ProjectError."""
        project = cls(Path(folder))
        edited = changes.changes_in_file(project.state, project.folder / SETTINGS)
        if edited:
            project.configure(**edited)
        return project

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
        return self._parts.loop

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self.state.settings

    @property
    def workspace(self) -> Workspace:
        """The folder's arrays and images."""
        return self._parts.workspace

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Every image, in row order."""
        return self._parts.index[0]

    @property
    def quarantined(self) -> tuple[Quarantined, ...]:
        """Files that could not be used, with the reason."""
        return self._parts.index[1]

    @property
    def plan(self) -> BudgetPlan:
        """How the budget is split."""
        return self._parts.plan

    @property
    def learner(self) -> Learner:
        """The machine's part of a round."""
        return self._parts.learner

    @property
    def _parts(self) -> Parts:
        if self._built is None:
            self._built = Parts(self.folder, self._logbook, self.config, self._on_progress, self._seconds_to_open)
        return self._built

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
            self.loop.worked_since_s += time.monotonic() - idle_since_s
        while True:
            try:
                return self.loop.next_query(n)
            except ClassesChangedError:
                self._built = None
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
            events = answering.answered(self.state, list(annotations))
            answering.check_stored(self.config, events, transaction.append(events))
        self.catch_up()

    def skip(self, sample_id: str, *, broken: bool = False) -> None:
        """Set an image aside that nobody can label; it costs nothing and is not asked again.

        broken: there is nothing to see in it, so it gets no label by the machine either.
        """
        with self._logbook.transaction() as transaction:
            transaction.append([answering.skipped(self.state, sample_id, broken=broken)])
        self.catch_up()

    def undo(self, sample_id: str) -> None:
        """Take the last answer for an image (or a skip) back; the image is asked again."""
        with self._logbook.transaction() as transaction:
            transaction.append([answering.undone(self.state, sample_id)])
        self.catch_up()

    # -- decisions under way -------------------------------------------------------------------

    def add_gold(self, table: str | Path, annotator: str = "gold") -> int:
        """Take the truth of gold images from a table, more of them or corrected; return how many these are.

        annotator: who gives it. Once the audit is drawn these can only be images that people were asked about to train
        on. Raises DataError for a table that does not fit, ProjectError for images that come too late.
        """
        truth = read_gold(Path(table), self.samples, self.config)
        with self._logbook.transaction() as transaction:
            check_later(self.state, truth)
            transaction.append([journal.gold_given(truth, annotator)])
        self.catch_up()
        return len(truth)

    def configure(self, *, annotator: str | None = None, **settings: Any) -> None:
        """Change settings of a running project, e.g. a larger budget. Raises ConfigError or ProjectError.

        annotator: who changes them, for the journal.
        """
        with self._logbook.transaction() as transaction:
            transaction.append([changes.configured(self.state, settings, annotator)])
        self.catch_up()
        changes.write_settings(self.state, self.folder / SETTINGS)
        self._built = None

    def change_classes(self, change: Change, *names: str, annotator: str | None = None, ask_again: bool = False) -> int:
        """Add a class (its name), rename one (old, new) or merge one into another (that one, the other).

        Labels given so far follow. After "add" and "merge" the automatic labels are withdrawn until a model that knows
        the classes is fitted and judged. ask_again: take answers "none of these" back, so that people see those images
        again. Returns how many these were. Raises ConfigError, and then changes nothing.
        """
        with self._logbook.transaction() as transaction:
            events = changes.classes_changed(self.state, change, names, annotator, ask_again=ask_again)
            transaction.append(events)
        self.catch_up()
        changes.write_settings(self.state, self.folder / SETTINGS)
        return len(events) - 1

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
        # Compared with what was built, since whoever takes part in the journal may have read the change already.
        if self._built is not None and self._built.config != self.config:
            self._built = None

    def close(self) -> None:
        """Release the journal. The object is not usable afterwards."""
        self._logbook.close()

    def _on_progress(self, what: str, done: int, total: int) -> None:
        self.on_progress(what, done, total)
