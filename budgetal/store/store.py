"""The journal's protocol, and how a journal is opened."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from budgetal.store.events import Event, NewEvent
from budgetal.store.leases import Instant, Lease
from budgetal.types import Json


class Transaction(Protocol):
    """An exclusive turn at the journal: what it reads stays true until what it appends is committed."""

    def read(self, after: int = 0) -> list[Event]:
        """Events with seq > `after`, in order, with those that this transaction appended."""
        ...

    def append(self, events: Sequence[NewEvent]) -> list[Event]:
        """Append all of `events`; return them in the same order, numbered.

        An event whose key is in the journal already is not written: the existing event is returned.
        Raises ValueError naming a field that JSON cannot hold, StorageError when writing fails.
        """
        ...

    def leases(self, names: Sequence[str]) -> dict[str, Lease]:
        """The leases that exist among `names`, expired ones included."""
        ...

    def owners(self, now: Instant, besides: str | None = None) -> dict[str, str]:
        """Owners of all names held at `now`, and of those that `besides` held last and is not done with."""
        ...

    def lease(self, leases: Sequence[Lease]) -> None:
        """Write `leases`, each in place of the one of its name; compare-and-set, as the turn is exclusive."""
        ...

    def kept(self, kind: str) -> dict[str, dict[str, Json]]:
        """The rows of `kind` that are kept beside the events, by name."""
        ...

    def keep(self, kind: str, name: str, data: Mapping[str, Json] | None) -> None:
        """Write a row in place of the one of its kind and name; None removes it."""
        ...


class Store(Protocol):
    """An append-only journal of events. Several threads may share a store; a forked child may not."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Wait for the exclusive turn. Commits (fsynced) on exit, rolls back on an exception.

        Raises StorageError when the commit fails; then nothing of it is acknowledged.
        """
        ...

    def read(self, after: int = 0, limit: int | None = None) -> list[Event]:
        """The first `limit` committed events with seq > `after`, in order. Never waits for a writer."""
        ...

    def last_seq(self) -> int:
        """The seq of the newest committed event, 0 for an empty journal."""
        ...

    def leases(self, names: Sequence[str]) -> dict[str, Lease]:
        """The committed leases among `names`. Never waits for a writer."""
        ...

    def owners(self, now: Instant) -> dict[str, str]:
        """Owners of all names held at `now`. Never waits for a writer."""
        ...

    def kept(self, kind: str) -> dict[str, dict[str, Json]]:
        """The committed rows of `kind`, by name. Never waits for a writer."""
        ...

    def backup(self, path: Path) -> None:
        """Write a consistent copy to `path` while others read and write.

        Raises StorageError when `path` exists or cannot be written.
        """
        ...

    def close(self) -> None:
        """Give up the connections. Harmless when repeated."""
        ...
