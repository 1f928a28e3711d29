"""The lists of automatic labels that people check, each made once for a look; and what was shown of earlier looks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from budgetal.errors import ProjectError
from budgetal.project import Project
from budgetal.review_list import Order, ReviewList, by_risk, prepare_disagreement
from budgetal.types import RowArray

KEPT_LOOKS = 3
"""Looks whose labels may still be reviewed: a page that is open does not lose its clicks when a round ends."""

Key = tuple[Order, int, tuple[str, ...]]
"""What a list is of: its order, the event of its look, and what the classes were called."""


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


class ReviewLooks:
    """The lists of one project. Whoever calls holds the turn at the project, except while a list is made."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._lists: dict[Key, ReviewList] = {}
        self._shown: dict[int, _Shown] = {}

    def list(self, order: Order) -> ReviewList:
        """The list of the look in force."""
        return self.kept(order, self.prepared(order)())

    def key(self, order: Order) -> Key:
        """What a list in this order is of: the look in force, and what its classes are called."""
        state = self.project.state
        return order, state.auto.seq if state.auto else 0, self.project.config.classes

    def prepared(self, order: Order) -> Callable[[], ReviewList]:
        """The list of the look in force, or how to make it."""
        state, arrays = self.project.state, self.project.workspace.arrays
        known = self._lists.get(self.key(order))
        if known is not None:
            return lambda: known
        if order == "risk":
            return lambda: by_risk(state, arrays)
        return prepare_disagreement(state, arrays, self.project.learner.views)

    def kept(self, order: Order, found: ReviewList) -> ReviewList:
        """The list to use: `found`, or the one that another thread made first."""
        key = self.key(order)
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

    def label_of(self, row: int) -> tuple[str, int]:
        """The automatic label that a person saw, and the round of its model. Raises ProjectError without one."""
        self.list("risk")
        for look in sorted(self._shown, reverse=True):
            label = self._shown[look].label_of(row)
            if label is not None:
                return label, self._shown[look].round
        sample_id = self.project.learner.pool.sample_ids[row]
        earlier = self.project.state.reviews.of(sample_id)
        if earlier is None:
            raise ProjectError(f"Image {sample_id} has no automatic label to review")
        return earlier.automatic, earlier.round
