"""One exclusive turn at the journal: known keys are found again, the rest is numbered and inserted."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from budgetal.errors import StorageError
from budgetal.store.events import Event, NewEvent, check_names
from budgetal.store.failures import storage_errors
from budgetal.store.kept import replace_kept, select_kept
from budgetal.store.leases import Instant, Lease, replace_leases, select_leases, select_owners
from budgetal.store.schema import Row, events_table, to_event, to_row
from budgetal.types import Json

_KEYS_A_QUERY = 500
_COLUMNS = events_table.columns.keys()


def newest_seq(connection: sa.Connection) -> int:
    """The seq of the last event that `connection` sees, 0 for none."""
    return connection.execute(sa.select(sa.func.max(events_table.c.seq))).scalar() or 0


def select_events(connection: sa.Connection, after: int, limit: int | None) -> list[Event]:
    """Events with seq > `after`, in order. Raises StorageError when one is changed or missing."""
    query = sa.select(events_table).where(events_table.c.seq > after).order_by(events_table.c.seq)
    rows = connection.execute(query.limit(limit)).all()
    found = [to_event(row) for row in rows]
    for expected, event in enumerate(found, start=after + 1):
        if event.seq != expected:
            raise StorageError(f"The journal lacks event {expected}: restore it from a backup")
    return found


class SqlTransaction:
    """A `Transaction` on the connection that holds the database's write lock."""

    def __init__(self, connection: sa.Connection, journal: Path) -> None:
        self._connection = connection
        self._journal = journal
        self.over = False
        self._failed = False
        self.newest: int | None = None

    def read(self, after: int = 0) -> list[Event]:
        """See `Transaction`."""
        self._check_open()
        with self._guarded("read"):
            return select_events(self._connection, after, None)

    def append(self, events: Sequence[NewEvent]) -> list[Event]:
        """See `Transaction`."""
        self._check_open()
        for event in events:
            check_names(event)
        with self._guarded("write to"):
            known = self._known([event.key for event in events if event.key is not None])
            last = newest_seq(self._connection)
        result, rows = _number(events, known, last)
        if rows:
            with self._guarded("write to"):
                self._connection.execute(
                    sa.insert(events_table), [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
                )
            self.newest = last + len(rows)
        return result

    def leases(self, names: Sequence[str]) -> dict[str, Lease]:
        """See `Transaction`."""
        self._check_open()
        with self._guarded("read"):
            return select_leases(self._connection, names)

    def owners(self, now: Instant, besides: str | None = None) -> dict[str, str]:
        """See `Transaction`."""
        self._check_open()
        with self._guarded("read"):
            return select_owners(self._connection, now, besides)

    def lease(self, leases: Sequence[Lease]) -> None:
        """See `Transaction`."""
        self._check_open()
        with self._guarded("write to"):
            replace_leases(self._connection, leases)

    def kept(self, kind: str) -> dict[str, dict[str, Json]]:
        """See `Transaction`."""
        self._check_open()
        with self._guarded("read"):
            return select_kept(self._connection, kind)

    def keep(self, kind: str, name: str, data: Mapping[str, Json] | None) -> None:
        """See `Transaction`."""
        self._check_open()
        with self._guarded("write to"):
            replace_kept(self._connection, kind, name, data)

    def finish(self) -> None:
        """Refuse further use. Raises StorageError when a write failed, even one that was swallowed."""
        self.over = True
        if self._failed:
            raise StorageError(f"Nothing was recorded in {self._journal}: a write in this transaction failed")

    def _known(self, keys: Sequence[str]) -> dict[str, Event]:
        known: dict[str, Event] = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            query = sa.select(events_table).where(events_table.c.key.in_(some))
            for row in self._connection.execute(query):
                known[row[3]] = to_event(row)
        return known

    def _check_open(self) -> None:
        if self.over:
            raise RuntimeError("This transaction is over: begin another with store.transaction()")
        if self._failed:
            raise StorageError(f"A write to {self._journal} failed in this transaction: begin another")

    @contextmanager
    def _guarded(self, verb: str) -> Iterator[None]:
        # Failed until proven otherwise: SQLite may roll back by itself, and COMMIT then says nothing.
        self._failed = True
        with storage_errors(f"Cannot {verb} {self._journal}"):
            yield
        self._failed = False


def _number(events: Sequence[NewEvent], known: Mapping[str, Event], last: int) -> tuple[list[Event], list[Row]]:
    """The events as the journal has or will have them, and the rows still to insert."""
    time_unix_s = time.time()
    by_key = dict(known)
    result: list[Event] = []
    rows: list[Row] = []
    for event in events:
        found = by_key.get(event.key) if event.key is not None else None
        if found is None:
            rows.append(to_row(event, last + len(rows) + 1, time_unix_s))
            found = to_event(rows[-1])
            if event.key is not None:
                by_key[event.key] = found
        result.append(found)
    return result, rows
