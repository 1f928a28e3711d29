"""The loop between two queries: fit, judge, stop or ask. Each step is one transaction of the journal."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from budgetal import journal, rounds
from budgetal.ahead import Step
from budgetal.budget.plan import BudgetPlan
from budgetal.choosing import Pick
from budgetal.learner import Learner
from budgetal.logbook import Logbook
from budgetal.store.events import NewEvent
from budgetal.store.locking import writer_lock
from budgetal.training.head import MAX_EPOCHS
from budgetal.training.recipe import recipe_of
from budgetal.types import EpochRecord, Purpose, Query
from budgetal.workspace import OnProgress


class ClassesChangedError(Exception):
    """The class list is another one than that which this learner was built for: build it anew, and go on."""


class Loop:
    """Carries out what `rounds` says is due, and counts the machine's time for it."""

    def __init__(self, folder: Path, logbook: Logbook, learner: Learner, plan: BudgetPlan, on_progress: OnProgress):
        self.folder = folder
        self.logbook = logbook
        self.state = logbook.state
        self.learner = learner
        self.plan = plan
        self.on_progress = on_progress
        self.worked_since_s = time.monotonic()

    def next_query(self, n: int | None) -> Query | None:
        """Do what is due, then open the next query; None when the run has ended."""
        while True:
            self._learn()
            last = self._ask_last()
            if last is not None:
                return last
            self._stop_if_due()
            if self.state.stop_reason is not None:
                self._finish()
                return None
            if rounds.stop_reason(self.state, self.plan) is not None:
                continue  # Somebody took an answer back meanwhile: look again.
            query = self._ask(rounds.next_purpose(self.state, self.plan), n)
            if query is not None:
                return query

    def take(self, step: Step, n: int | None = None) -> None:
        """Take one step by itself; one that another process took meanwhile is left out. n: size of a later query."""
        if step in ("fit", "assess"):
            with self._learning():
                self._fit() if step == "fit" else self._assess()
        elif step == "ask":
            self._ask_ahead(n)
        elif step == "stop":
            self._stop_if_due()
        elif step == "finish":
            self._finish()

    def _ask_ahead(self, n: int | None) -> None:
        if not rounds.last_audit_due(self.state, self.plan):
            self._ask(rounds.next_purpose(self.state, self.plan), n)
        elif self._ask_last() is None:
            self._stop_if_due()

    def _learn(self) -> None:
        """Fit and judge when labels came since the last fit, or when a fit was not judged yet."""
        if rounds.learner_due(self.state, self.plan) != "nothing":
            with self._learning():
                self._fit()
                self._assess()

    @contextmanager
    def _learning(self) -> Iterator[None]:
        """One process at a time: a second one waits, and then finds the work done."""
        with writer_lock(self.folder / "learner"):
            self.logbook.catch_up()
            self._check_classes()
            yield

    def _check_classes(self) -> None:
        if self.learner.config.classes != self.state.settings.classes:
            raise ClassesChangedError

    def _write(self, events: Sequence[NewEvent]) -> None:
        """Append, unless the classes changed meanwhile: what was found then speaks of other classes."""
        with self.logbook.transaction() as transaction:
            self._check_classes()
            transaction.append(events)
        self.logbook.catch_up()

    def _fit(self) -> None:
        if rounds.learner_due(self.state, self.plan) == "fit":
            self.on_progress("training", 0, 1)
            self._write([self.learner.fit(self.state, len(self.state.rounds), self._on_epoch)])

    def _assess(self) -> None:
        round = len(self.state.rounds)
        if rounds.learner_due(self.state, self.plan) == "assess":
            self.on_progress("predicting", 0, 1)
            self._write(self.learner.assess(self.state, round, self._seconds_worked))
            self.worked_since_s = time.monotonic()
            self.learner.space.prune(self.state)

    def _on_epoch(self, epoch: EpochRecord) -> None:
        doing, total = self._epochs
        self.on_progress(doing, epoch.epoch, max(total, epoch.epoch))
        self._write([journal.epoch_ended(len(self.state.rounds), epoch, self.state.n_class_changes)])

    @property
    def _epochs(self) -> tuple[str, int]:
        """What a fit is, and how many epochs it has, at most so many where it ends once it has converged."""
        config = self.state.settings
        if config.finetune == "head":
            return "training the last layer", MAX_EPOCHS
        if config.finetune == "cotrain":
            return "training", config.student_epochs
        return "training", recipe_of(config.preset, config.epochs, None, None).epochs

    def _seconds_worked(self) -> float:
        return time.monotonic() - self.worked_since_s

    def _ask(self, purpose: Purpose, n: int | None) -> Query | None:
        """Choose and ask. None when another process went on in the meantime: the choice is out of date."""
        self._check_classes()
        before = len(self.state.rounds), len(self.state.queries)
        size = rounds.query_size(self.state, self.plan, purpose, n)
        self.on_progress(f"choosing {size} images", 0, 1)
        return self._record(purpose, self.learner.pick(self.state, purpose, size, before[0]), before)

    def _ask_last(self) -> Query | None:
        """The labels kept for the end, asked once it has come; None when it has not, or no image is left for them."""
        if not rounds.last_audit_due(self.state, self.plan) or self.learner.has_shown_enough(self.state):
            return None
        self._check_classes()
        before = len(self.state.rounds), len(self.state.queries)
        pick = self.learner.pick_last(self.state, rounds.n_for_last_audit(self.state, self.plan))
        return self._record("audit", pick, before) if pick.sample_ids else None

    def _record(self, purpose: Purpose, pick: Pick, before: tuple[int, int]) -> Query | None:
        """before: how many rounds and queries there were when the images were chosen."""
        with self.logbook.transaction() as transaction:
            self._check_classes()
            if before != (len(self.state.rounds), len(self.state.queries)):
                return rounds.open_query(self.state)
            self.state.ledger.reserve(len(pick.sample_ids) + len(pick.again))
            query_id = self.state.next_query_id()
            again = [journal.asked(query_id, "opinion", before[0], pick.again)] if pick.again else []
            query_id += len(again)
            chosen = pick.sample_ids, pick.passed_over, pick.weights, pick.frame, pick.n_planned
            transaction.append([*again, journal.asked(query_id, purpose, before[0], *chosen)])
        self.logbook.catch_up()
        return rounds.open_query(self.state) or self.state.queries[query_id]

    def _stop_if_due(self) -> None:
        reason, seq = rounds.stop_reason(self.state, self.plan), self.state.seq
        if self.state.stop_reason is not None or reason is None:
            return
        if rounds.last_audit_due(self.state, self.plan) and self.learner.has_shown_enough(self.state):
            reason = rounds.SHOWN
        with self.logbook.transaction() as transaction:
            # An answer that was taken back since may be what the end rests on.
            if self.state.seq == seq:
                transaction.append([journal.stopped(reason)])
        self.logbook.catch_up()

    def _finish(self) -> None:
        """The last certificate, once."""
        if self.state.finished:
            return
        self._check_classes()
        last = self.learner.final_labels(self.state, planned=rounds.ended_as_planned(self.state))
        self._write([*([last] if last else []), NewEvent("finished", {})])
