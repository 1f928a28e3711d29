"""Where people fetch images and bring answers: a project for many hands at once.

Several threads may use one desk. Every answer is on disk when its method returns.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from budgetal.guesses import Guess, Guesses
from budgetal.leasing import DURATION_S, Leasing
from budgetal.project import Project
from budgetal.reasons import Reason, Reasons
from budgetal.state import State
from budgetal.store.leases import Clock, Lease, host_clock
from budgetal.types import Annotation
from budgetal.views import Views

T = TypeVar("T")


@dataclass(frozen=True)
class Seat:
    """One page of one person. Two pages of a person hold different images."""

    annotator: str
    client: str

    @property
    def owner(self) -> str:
        """Its name on leases."""
        return f"{self.annotator}/{self.client}"


@dataclass(frozen=True)
class Item:
    """An image in somebody's hands; `token` comes back with the answer."""

    sample_id: str
    token: int


class Desk:
    """Claims and answers of one project."""

    def __init__(self, project: Project, clock: Clock = host_clock, lease_s: float = DURATION_S) -> None:
        self.project = project
        self.leasing = Leasing(project.logbook, clock, lease_s)
        self.turn = threading.RLock()
        space = project.workspace
        pool = space.pool(project.samples)
        self.guesses = Guesses(space.arrays, pool)
        self._reasons = Reasons(Views(space, pool), self.guesses)

    def look(self, at: Callable[[State], T]) -> T:
        """What `at` makes of the state as it is now; nobody changes it meanwhile."""
        with self.turn:
            self.project.catch_up()
            return at(self.project.state)

    def claim(self, seat: Seat, n: int) -> list[Item]:
        """At most `n` images to label, the ones that this seat holds already first."""
        with self.turn:
            return [_item(lease) for lease in self.leasing.claim(seat.owner, n, seat.annotator)]

    def claim_screen(self, seat: Seat, n: int, besides: Collection[str]) -> tuple[list[Item], dict[str, Guess]]:
        """At most `n` look-alikes to answer together, and the model's guess for each; or images asked blind, without.

        besides: images that this seat has before it already; all its leases are renewed.
        """
        with self.turn:
            state = self.project.state

            def arrange(waiting: Sequence[str]) -> Sequence[str]:
                return self.guesses.screen(state, waiting, n)

            leases = self.leasing.claim_together(seat.owner, arrange, besides, seat.annotator)
            return [_item(lease) for lease in leases], self.guesses.of(state, [lease.name for lease in leases])

    def reason(self, sample_id: str) -> Reason | None:
        """Why an open image was asked; None where people answer it by themselves. Raises DataError."""
        with self.turn:
            self.project.catch_up()
            return self._reasons.of(self.project.state, sample_id)

    def guesses_for(self, items: Sequence[Item]) -> dict[str, Guess]:
        """What the model makes of claimed images, of those that may be shown with it."""
        with self.turn:
            return self.guesses.of(self.project.state, [item.sample_id for item in items])

    def release(self, seat: Seat, sample_ids: Sequence[str]) -> None:
        """Let images go that will not be labelled here."""
        with self.turn:
            self.leasing.release(seat.owner, sample_ids)

    def submit(self, seat: Seat, item: Item, label: str, key: str | None, suggestion: str | None = None) -> None:
        """Record an answer. The same key again changes nothing. Raises LeaseError and as `Project.tell`.

        suggestion: the model's guess that was shown with the image.
        """
        with self._fenced(seat, item):
            self.project.tell([Annotation(item.sample_id, label, seat.annotator, key, suggestion)])

    def skip(self, seat: Seat, item: Item, *, broken: bool = False) -> None:
        """Set an image aside; once more changes nothing. Raises LeaseError and as `Project.skip`."""
        with self._fenced(seat, item):
            # One turn at the journal: in a turn of its own the lease would be let go before the skip is written.
            if self._is_open(item):
                self.project.skip(item.sample_id, broken=broken)
            else:
                self.leasing.confirm()

    def undo(self, seat: Seat, item: Item) -> None:
        """Take this seat's answer or skip back; the image is in its hands again. Raises LeaseError."""
        with self._fenced(seat, item, keeps=True):
            if self._is_open(item):
                self.leasing.confirm()
            else:
                self.project.undo(item.sample_id)

    def _is_open(self, item: Item) -> bool:
        self.project.catch_up()
        return item.sample_id in self.project.state.open_items

    @contextmanager
    def _fenced(self, seat: Seat, item: Item, *, keeps: bool = False) -> Iterator[None]:
        with self.turn, self.leasing.fenced(seat.owner, item.sample_id, item.token, keeps=keeps):
            yield


def _item(lease: Lease) -> Item:
    return Item(lease.name, lease.token)
