"""A project's journal and the state folded from it, always in step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from budgetal.state import State, fold
from budgetal.store.events import Event, NewEvent
from budgetal.store.leases import Instant, Lease
from budgetal.store.opening import open_store
from budgetal.store.store import Store, Transaction
from budgetal.types import Json

JOURNAL = "journal.db"

Check = Callable[[Transaction], None]
"""Looks at what must hold when a transaction begins, and raises when it does not."""


class Logbook:
    """The only way in which a project reads or changes its state."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        self._store: Store = open_store(folder / JOURNAL, create=create)
        self.state = State()
        self._checks: list[Check] = []
        self.catch_up()

    def catch_up(self) -> None:
        """Read what was written since, by this process or another."""
        fold(self.state, self._store.read(self.state.seq))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The only writer, with a state that is up to date: what is decided inside holds at commit.

        The state does not see what is appended inside: call `catch_up` after the block.
        """
        with self._store.transaction() as transaction:
            fold(self.state, transaction.read(self.state.seq))
            for check in self._checks:
                check(transaction)
            yield transaction

    @contextmanager
    def turn(self) -> Iterator[Transaction]:
        """A turn at the journal that leaves the state alone, for threads that only look after a lease."""
        with self._store.transaction() as transaction:
            yield transaction

    @contextmanager
    def checking(self, check: Check) -> Iterator[None]:
        """Begin every transaction inside the block with `check`: what it finds still holds at the commit."""
        self._checks.append(check)
        try:
            yield
        finally:
            self._checks.remove(check)

    def leases(self, names: Sequence[str]) -> dict[str, Lease]:
        """The leases among `names`, expired ones included."""
        return self._store.leases(names)

    def owners(self, now: Instant) -> dict[str, str]:
        """Owners of all names held at `now`."""
        return self._store.owners(now)

    def kept(self, kind: str) -> dict[str, dict[str, Json]]:
        """The rows of `kind` that are kept beside the events, by name."""
        return self._store.kept(kind)

    def last_seq(self) -> int:
        """Number of the newest event, read or not."""
        return self._store.last_seq()

    def events_after(self, seq: int, limit: int | None = None) -> list[Event]:
        """At most `limit` events after number `seq`; the state stays as it is."""
        return self._store.read(seq, limit)

    def append(self, events: Sequence[NewEvent]) -> None:
        """Write events together or not at all, and fold them in."""
        with self.transaction() as transaction:
            transaction.append(events)
        self.catch_up()

    def events(self) -> list[Event]:
        """Everything that was ever written."""
        return self._store.read()

    def close(self) -> None:
        """Release the journal."""
        self._store.close()
