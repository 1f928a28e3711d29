"""The journal on SQLite: one writer connection a process, a pool of readers, one lock for writers."""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from budgetal.errors import ProjectError, StorageError
from budgetal.files import sync_folder
from budgetal.store.connections import driver, reader_engine, writer_engine
from budgetal.store.events import Event
from budgetal.store.failures import storage_errors
from budgetal.store.filesystem import refuse_network_folder
from budgetal.store.kept import select_kept
from budgetal.store.leases import Instant, Lease, select_leases, select_owners
from budgetal.store.locking import is_end_lost, lock_path, write_mark, writer_lock
from budgetal.store.maintenance import checkpoint_when_long, set_log_aside, vacuum_into
from budgetal.store.migrate import bring_up_to_date, has_events
from budgetal.store.store import Transaction
from budgetal.store.transaction import SqlTransaction, newest_seq, select_events
from budgetal.types import Json


def open_sqlite(path: Path, *, create: bool) -> "SqliteStore":
    """Open or create the journal at `path`. Errors as `open_store`."""
    journal = path.resolve()
    _refuse_unless_usable(journal, create=create)
    with storage_errors(f"Cannot open {journal}"):
        return SqliteStore(journal, create=create)


def _refuse_unless_usable(journal: Path, *, create: bool) -> None:
    if not journal.parent.is_dir():
        raise ProjectError(f"Cannot open {journal}: the folder does not exist")
    if journal.exists() and not journal.is_file():
        raise ProjectError(f"Cannot open {journal}: it is not a file")
    if not create and not journal.exists():
        raise ProjectError(f"There is no journal at {journal}: create the project first")
    refuse_network_folder(journal.parent)


class SqliteStore:
    """A `Store` on one SQLite file. Get one from `open_store`."""

    def __init__(self, journal: Path, *, create: bool) -> None:
        self._journal = journal
        self._process = os.getpid()
        self._turn = threading.Lock()
        self._turn_owner: int | None = None
        self._closed = False
        self._readers = reader_engine(journal)
        self._writers = writer_engine(journal)
        with writer_lock(journal) as lock:
            self._writer = self._writers.connect()
            try:
                self._start(lock, create=create)
            except BaseException:
                self._disconnect()
                raise

    def _start(self, lock: int, *, create: bool) -> None:
        damage = driver(self._writer).execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise StorageError(f"{self._journal} is damaged ({damage}): restore it from a backup")
        self._refuse_lost_end(lock)
        bring_up_to_date(self._writer, self._journal, create=create)
        sync_folder(self._journal.parent)

    def _refuse_lost_end(self, lock: int) -> None:
        with self._writer.begin():
            last_seq = newest_seq(self._writer) if has_events(self._writer) else 0
        if is_end_lost(lock, last_seq):
            set_log_aside(self._journal)
            raise StorageError(
                f"{self._journal} ends at event {last_seq} but more were recorded: its end is lost or "
                "damaged. Restore it with its -wal file, or from a backup; to go on without the end, delete "
                f"{lock_path(self._journal)}"
            )

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Exclusive turn at the journal; see `Store`."""
        with self._my_turn() as lock:
            begun = self._begin()
            transaction = SqlTransaction(self._writer, self._journal)
            try:
                yield transaction
                self._commit(begun, transaction)
            except BaseException:
                self._roll_back(begun)
                raise
            finally:
                transaction.over = True
            self._mark(lock, transaction)

    def read(self, after: int = 0, limit: int | None = None) -> list[Event]:
        """Committed events; see `Store`."""
        if after < 0 or (limit is not None and limit < 0):
            raise ValueError(f"Cannot read {limit} events after {after}: both count from 0")
        self._check_usable()
        with storage_errors(f"Cannot read {self._journal}"), self._readers.connect() as connection:
            return select_events(connection, after, limit)

    def last_seq(self) -> int:
        """Newest committed seq; see `Store`."""
        self._check_usable()
        with storage_errors(f"Cannot read {self._journal}"), self._readers.connect() as connection:
            return newest_seq(connection)

    def leases(self, names: Sequence[str]) -> dict[str, Lease]:
        """Committed leases; see `Store`."""
        self._check_usable()
        with storage_errors(f"Cannot read {self._journal}"), self._readers.connect() as connection:
            return select_leases(connection, names)

    def owners(self, now: Instant) -> dict[str, str]:
        """Who holds what; see `Store`."""
        self._check_usable()
        with storage_errors(f"Cannot read {self._journal}"), self._readers.connect() as connection:
            return select_owners(connection, now, None)

    def kept(self, kind: str) -> dict[str, dict[str, Json]]:
        """Committed rows of `kind`; see `Store`."""
        self._check_usable()
        with storage_errors(f"Cannot read {self._journal}"), self._readers.connect() as connection:
            return select_kept(connection, kind)

    def backup(self, path: Path) -> None:
        """Copy of the journal; see `Store`."""
        self._check_usable()
        if path.exists():
            raise StorageError(f"Cannot back up to {path}: it exists; name a new file")
        with storage_errors(f"Cannot back up to {path}"), self._readers.connect() as connection:
            vacuum_into(driver(connection), path)

    def close(self) -> None:
        """Give up the connections; see `Store`."""
        # A forked child must not touch its parent's connections, not even to close them.
        if self._closed or os.getpid() != self._process:
            return
        # The last connection to close checkpoints, so this, too, is done under the lock.
        with self._my_turn(), storage_errors(f"Cannot close {self._journal}"):
            self._closed = True
            self._disconnect()

    def _disconnect(self) -> None:
        self._readers.dispose()
        self._writer.close()
        self._writers.dispose()

    def _begin(self) -> sa.RootTransaction:
        with storage_errors(f"Cannot write to {self._journal}"):
            checkpoint_when_long(driver(self._writer), self._journal)
            return self._writer.begin()

    def _commit(self, begun: sa.RootTransaction, transaction: SqlTransaction) -> None:
        with storage_errors(f"Cannot write to {self._journal}"):
            transaction.finish()
            begun.commit()

    @staticmethod
    def _mark(lock: int, transaction: SqlTransaction) -> None:
        if transaction.newest is not None:
            # The commit is durable, so it is acknowledged; an old mark only makes damage harder to see.
            with suppress(OSError):
                write_mark(lock, transaction.newest)

    def _roll_back(self, begun: sa.RootTransaction) -> None:
        with storage_errors(f"Cannot roll back in {self._journal}"):
            begun.rollback()
            # After a COMMIT that failed SQLAlchemy thinks that nothing is left to roll back.
            driver(self._writer).rollback()

    @contextmanager
    def _my_turn(self) -> Iterator[int]:
        self._check_usable()
        if self._turn_owner == threading.get_ident():
            raise RuntimeError("store.transaction() inside a transaction of the same thread would wait forever")
        with self._turn, writer_lock(self._journal) as lock:
            self._turn_owner = threading.get_ident()
            try:
                self._check_usable()
                yield lock
            finally:
                self._turn_owner = None

    def _check_usable(self) -> None:
        if os.getpid() != self._process:
            raise StorageError("A journal cannot be used after a fork: open it again in the child process")
        if self._closed:
            raise StorageError(f"{self._journal} is closed: open it again")
