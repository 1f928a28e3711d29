"""One page of the automatic labels that people check: which of a list are wanted, and what is said of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from budgetal.data.pool import Pool
from budgetal.errors import DataError
from budgetal.registry import unknown_name
from budgetal.review_list import Order, ReviewList, is_hidden
from budgetal.reviews import Review
from budgetal.state import State

Show = Literal["waiting", "reviewed", "disputed", "all"]


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
class Pages:
    """The pages of one list. pool: of its rows."""

    found: ReviewList
    state: State
    pool: Pool

    def cut(self, wanted: Wanted, n: int, after: int, before: int | None) -> tuple[tuple[Checked, ...], bool]:
        """At most `n` images after `after`, or the last `n` before `before`; and whether there are more.

        Raises DataError for a class that there is none of.
        """
        ahead = range(after + 1, len(self.found))
        places = ahead if before is None else range(min(before, len(self.found)) - 1, -1, -1)
        items = list(islice(self._wanted(wanted, places), n + 1))
        kept = items[:n] if before is None else items[:n][::-1]
        return tuple(kept), len(items) > n

    def _wanted(self, wanted: Wanted, places: range) -> Iterator[Checked]:
        classes = self.state.settings.classes
        if wanted.label is not None and wanted.label not in classes:
            raise DataError(unknown_name("class", wanted.label, list(classes)))
        targets = self.found.targets.tolist()
        target = None if wanted.label is None else classes.index(wanted.label)
        for place in places:
            if target is not None and targets[place] != target:
                continue
            sample_id = self.pool.sample_ids[int(self.found.rows[place])]
            if self._is_wanted(sample_id, wanted.show) and not is_hidden(self.state, sample_id):
                yield self._checked(place, sample_id)

    def _is_wanted(self, sample_id: str, show: Show) -> bool:
        reviews = self.state.reviews
        if show == "disputed":
            return reviews.is_disputed(sample_id)
        return show == "all" or (sample_id in reviews) == (show == "reviewed")

    def _checked(self, place: int, sample_id: str) -> Checked:
        found, classes, reviews = self.found, self.state.settings.classes, self.state.reviews
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
