"""Where people check automatic labels: pages of them, and what people say.

Several threads may use one. Every review is on disk when its method returns.
"""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from budgetal import journal
from budgetal.annotators.after_review import AfterReview
from budgetal.config import class_named
from budgetal.errors import DataError, ProjectError
from budgetal.project import Project
from budgetal.registry import unknown_name
from budgetal.review_list import ReviewList, why_no_review
from budgetal.review_looks import ReviewLooks
from budgetal.review_pages import Page, Pages, Wanted
from budgetal.store.events import NewEvent
from budgetal.types import NONE_OF_THESE, Annotation


class Reviewing:
    """The automatic labels of one project and people's word on them. turn: held while the project is used."""

    def __init__(self, project: Project, turn: AbstractContextManager[object] | None = None) -> None:
        self.project = project
        self.turn = turn or threading.RLock()
        self._looks = ReviewLooks(project)

    def page(self, wanted: Wanted, n: int, annotator: str, after: int = -1, before: int | None = None) -> Page:
        """At most `n` images whose positions follow `after`, or the last `n` that precede `before`.

        Positions hold for one look and one order, whatever is reviewed meanwhile. Raises ProjectError while nobody may
        see automatic labels, DataError for a class that there is none of.
        """
        while True:
            with self.turn:
                self._show_to(annotator)
                key, prepared = self._looks.key(wanted.order), self._looks.prepared(wanted.order)
            # Neighbours of a large collection take seconds, in which others go on, and may change the classes.
            made = prepared()
            with self.turn:
                if self._looks.key(wanted.order) == key:
                    return self._page(self._looks.kept(wanted.order, made), wanted, n, after, before)

    def _page(self, found: ReviewList, wanted: Wanted, n: int, after: int, before: int | None) -> Page:
        pages = Pages(found, self.project.state, self.project.learner.pool)
        items, has_more = pages.cut(wanted, n, after, before)
        return Page(found.look, len(found), self.project.n_reviewed(), items, has_more)

    def classes(self, annotator: str) -> dict[str, int]:
        """How many automatic labels there are of each class."""
        with self.turn:
            self._show_to(annotator)
            names, counts = self.project.config.classes, dict.fromkeys(self.project.config.classes, 0)
            for target in self._looks.list("risk").targets.tolist():
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

    # -- reviews -------------------------------------------------------------------------------

    def _event(self, review: Annotation) -> NewEvent:
        known = [*self.project.config.classes, NONE_OF_THESE]
        label = class_named(self.project.config, review.label)
        if label not in known:
            raise DataError(unknown_name("label", review.label, known))
        automatic, round = self._looks.label_of(self._row(review.sample_id))
        return journal.reviewed(replace(review, label=label), class_named(self.project.config, automatic), round)

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
