"""SQLite connections set up so that an acknowledged commit survives a power loss."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from budgetal.errors import StorageError

BUSY_TIMEOUT_MS = 5000


def reader_engine(journal: Path) -> sa.Engine:
    """A pool of connections for single SELECTs, which need no BEGIN and leave no transaction open."""
    return _engine(journal)


def writer_engine(journal: Path) -> sa.Engine:
    """Connections whose transactions take SQLite's write lock at once, DDL included."""
    engine = _engine(journal)
    sa.event.listen(engine, "begin", _begin_immediate)
    return engine


def _engine(journal: Path) -> sa.Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(journal)))
    sa.event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own BEGIN leaves out SELECT and DDL; ours comes from the begin event.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA mmap_size=0")
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StorageError(f"Cannot open the journal: SQLite answers journal mode {mode!r} where 'wal' is needed")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Checkpoints come from the writer alone, under the lock (see locking.py).
    connection.execute("PRAGMA wal_autocheckpoint=0")


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def driver(connection: sa.Connection) -> sqlite3.Connection:
    """The sqlite3 connection beneath, for statements that SQLite refuses inside a transaction."""
    found = connection.connection.driver_connection
    if not isinstance(found, sqlite3.Connection):
        raise StorageError("The journal's connection is closed: open the store again")
    return found
