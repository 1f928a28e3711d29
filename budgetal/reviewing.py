"""Where people check automatic labels: pages of them, and what people say.

Several threads may use one. Every review is on disk when its method returns.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

import numpy as np

from budgetal import journal
from budgetal.annotators.after_review import AfterReview
from budgetal.config import class_named
from budgetal.errors import DataError, ProjectError
from budgetal.project import Project
from budgetal.registry import unknown_name
from budgetal.review_list import Order, ReviewList, by_risk, is_hidden, prepare_disagreement, why_no_review
from budgetal.reviews import Review
from budgetal.store.events import NewEvent
from budgetal.types import NONE_OF_THESE, Annotation, RowArray

Show = Literal["waiting", "reviewed", "disputed", "all"]
KEPT_LOOKS = 3
"""Looks whose labels may still be reviewed: a page that is open does not lose its clicks when a round ends."""


@dataclass(frozen=True)
class Checked:
    """One image of a page. position: in its list; support, nearest: of its labelled neighbours, where they order it."""

    position: int
    sample_id: str
    automatic: str
    score: float
    support: float | None
    nearest: str | None
    review: Review | None
    is_disputed: bool


@dataclass(frozen=True)
class Page:
    """Images of the list at event `look`. has_more: whether others follow (or, backwards, come before)."""

    look: int
    n: int
    n_reviewed: int
    items: tuple[Checked, ...]
    has_more: bool


@dataclass(frozen=True)
class Wanted:
    """Which labels: in what order, of which class (None: all), in what state."""

    order: Order = "risk"
    label: str | None = None
    show: Show = "waiting"


@dataclass(frozen=True)
class _Shown:
    """The labels of one look as they were shown. rows: ascending; round: of the model."""

    round: int
    rows: RowArray
    targets: RowArray
    classes: tuple[str, ...]

    def label_of(self, row: int) -> str | None:
        """The automatic label of a row, or None."""
        place = int(np.searchsorted(self.rows, row))
        is_there = place < len(self.rows) and self.rows[place] == row
        return self.classes[int(self.targets[place])] if is_there else None


class Reviewing:
    """The automatic labels of one project and people's word on them. turn: held while the project is used."""

    def __init__(self, project: Project, turn: AbstractContextManager[object] | None = None) -> None:
        self.project = project
        self.turn = turn or threading.RLock()
        self._lists: dict[tuple[Order, int, tuple[str, ...]], ReviewList] = {}
        self._shown: dict[int, _Shown] = {}

    def page(self, wanted: Wanted, n: int, annotator: str, after: int = -1, before: int | None = None) -> Page:
        """At most `n` images whose positions follow `after`, or the last `n` that precede `before`.

        Positions hold for one look and one order, whatever is reviewed meanwhile. Raises ProjectError while nobody may
        see automatic labels, DataError for a class that there is none of.
        """
        while True:
            with self.turn:
                self._show_to(annotator)
                key, prepared = self._key(wanted.order), self._prepared(wanted.order)
            # Neighbours of a large collection take seconds, in which others go on, and may change the classes.
            made = prepared()
            with self.turn:
                if self._key(wanted.order) == key:
                    return self._page(self._kept(wanted.order, made), wanted, n, after, before)

    def _page(self, found: ReviewList, wanted: Wanted, n: int, after: int, before: int | None) -> Page:
        ahead = range(after + 1, len(found))
        places = ahead if before is None else range(min(before, len(found)) - 1, -1, -1)
        items = list(islice(self._wanted(found, wanted, places), n + 1))
        kept = items[:n] if before is None else items[:n][::-1]
        return Page(found.look, len(found), self.project.n_reviewed(), tuple(kept), len(items) > n)

    def classes(self, annotator: str) -> dict[str, int]:
        """How many automatic labels there are of each class."""
        with self.turn:
            self._show_to(annotator)
            names, counts = self.project.config.classes, dict.fromkeys(self.project.config.classes, 0)
            for target in self._list("risk").targets.tolist():
                counts[names[target]] += 1
            return counts

    def remaining(self) -> AfterReview | None:
        """What is promised of the labels that nobody reviewed."""
        with self.turn:
            return self.project.after_review()

    def n_reviewed(self) -> int:
        """Automatic labels in force that somebody reviewed."""
        with self.turn:
            return self.project.n_reviewed()

    def review(self, reviews: Sequence[Annotation]) -> None:
        """Record people's word on automatic labels: all or, on any error, none.

        The label that the machine gave accepts it, another one corrects it. The same key again changes nothing. Raises
        DataError for a label that is no class, ProjectError for an image without an automatic label, BudgetError.
        """
        with self.turn:
            with self.project.logbook.transaction() as transaction:
                self._check_open()
                events = [self._event(review) for review in reviews]
                self._check_budget(events)
                for event, stored in zip(events, transaction.append(events), strict=True):
                    said = stored.data["sample_id"], class_named(self.project.config, str(stored.data["label"]))
                    if said != (event.data["sample_id"], event.data["label"]):
                        raise ProjectError(f"Key {event.key!r} stands for another review: use a new key for each")
            self.project.catch_up()

    def take_back(self, sample_ids: Sequence[str], annotator: str) -> None:
        """Forget this person's reviews of these images; once more changes nothing. Raises DataError for unknown ids."""
        with self.turn:
            for sample_id in sample_ids:
                self._row(sample_id)
            with self.project.logbook.transaction() as transaction:
                given = self.project.state.reviews.by_image
                mine = [i for i in sample_ids if any(one.annotator == annotator for one in given.get(i, ()))]
                transaction.append([journal.review_undone(sample_id, annotator) for sample_id in mine])
            self.project.catch_up()

    # -- what may be seen ----------------------------------------------------------------------

    def _check_open(self) -> None:
        reason = why_no_review(self.project.state, self.project.plan)
        if reason is not None:
            raise ProjectError(reason)

    def _show_to(self, annotator: str) -> None:
        """Before the first label is shown the journal says so: from then on no audit can be drawn that is blind."""
        self.project.catch_up()
        if self.project.state.reviews.were_shown:
            self._check_open()
            return
        with self.project.logbook.transaction() as transaction:
            self._check_open()
            transaction.append([NewEvent("labels_shown", {"annotator": annotator}, "labels-shown")])
        self.project.catch_up()

    # -- lists ---------------------------------------------------------------------------------

    def _list(self, order: Order) -> ReviewList:
        return self._kept(order, self._prepared(order)())

    def _key(self, order: Order) -> tuple[Order, int, tuple[str, ...]]:
        """What a list in this order is of: the look in force, and what its classes are called."""
        state = self.project.state
        return order, state.auto.seq if state.auto else 0, self.project.config.classes

    def _prepared(self, order: Order) -> Callable[[], ReviewList]:
        """The list of the look in force, or how to make it."""
        state, arrays = self.project.state, self.project.workspace.arrays
        known = self._lists.get(self._key(order))
        if known is not None:
            return lambda: known
        if order == "risk":
            return lambda: by_risk(state, arrays)
        return prepare_disagreement(state, arrays, self.project.learner.views)

    def _kept(self, order: Order, found: ReviewList) -> ReviewList:
        key = self._key(order)
        if key not in self._lists:
            # A list of an earlier look is of no use: positions are of one look.
            self._lists = {known: one for known, one in self._lists.items() if known[1] == found.look} | {key: found}
            self._remember(found)
        return self._lists[key]

    def _remember(self, found: ReviewList) -> None:
        ascending = np.argsort(found.rows)
        shown = found.rows[ascending], found.targets[ascending], self.project.config.classes
        self._shown[found.look] = _Shown(self.project.state.model_round, *shown)
        for look in sorted(self._shown)[:-KEPT_LOOKS]:
            del self._shown[look]

    def _wanted(self, found: ReviewList, wanted: Wanted, places: range) -> Iterator[Checked]:
        state, pool, classes = self.project.state, self.project.learner.pool, self.project.config.classes
        if wanted.label is not None and wanted.label not in classes:
            raise DataError(unknown_name("class", wanted.label, list(classes)))
        targets = found.targets.tolist()
        target = None if wanted.label is None else classes.index(wanted.label)
        for place in places:
            if target is not None and targets[place] != target:
                continue
            sample_id = pool.sample_ids[int(found.rows[place])]
            if self._is_wanted(sample_id, wanted.show) and not is_hidden(state, sample_id):
                yield self._checked(found, place, sample_id)

    def _is_wanted(self, sample_id: str, show: Show) -> bool:
        reviews = self.project.state.reviews
        if show == "disputed":
            return reviews.is_disputed(sample_id)
        return show == "all" or (sample_id in reviews) == (show == "reviewed")

    def _checked(self, found: ReviewList, place: int, sample_id: str) -> Checked:
        classes, reviews = self.project.config.classes, self.project.state.reviews
        nearest = int(found.nearest[place]) if found.nearest is not None else -1
        return Checked(
            place,
            sample_id,
            classes[int(found.targets[place])],
            float(found.scores[place]),
            float(found.support[place]) if found.support is not None else None,
            classes[nearest] if nearest >= 0 else None,
            reviews.of(sample_id),
            reviews.is_disputed(sample_id),
        )

    # -- reviews -------------------------------------------------------------------------------

    def _event(self, review: Annotation) -> NewEvent:
        known = [*self.project.config.classes, NONE_OF_THESE]
        label = class_named(self.project.config, review.label)
        if label not in known:
            raise DataError(unknown_name("label", review.label, known))
        automatic, round = self._label_of(review.sample_id)
        return journal.reviewed(replace(review, label=label), class_named(self.project.config, automatic), round)

    def _label_of(self, sample_id: str) -> tuple[str, int]:
        """The automatic label that a person saw, and the round of its model."""
        self._list("risk")
        row = self._row(sample_id)
        for look in sorted(self._shown, reverse=True):
            label = self._shown[look].label_of(row)
            if label is not None:
                return label, self._shown[look].round
        earlier = self.project.state.reviews.of(sample_id)
        if earlier is None:
            raise ProjectError(f"Image {sample_id} has no automatic label to review")
        return earlier.automatic, earlier.round

    def _row(self, sample_id: str) -> int:
        pool = self.project.learner.pool
        if sample_id not in pool:
            raise DataError(f"There is no image {sample_id} in this project")
        return int(pool.rows([sample_id])[0])

    def _check_budget(self, events: Sequence[NewEvent]) -> None:
        given = self.project.state.reviews.by_image
        fresh = {
            (event.data["sample_id"], event.data["annotator"])
            for event in events
            if all(one.annotator != event.data["annotator"] for one in given.get(str(event.data["sample_id"]), ()))
        }
        self.project.state.ledger.check_reviews(len(fresh))
