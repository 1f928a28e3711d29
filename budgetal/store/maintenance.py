"""What SQLite does only outside a transaction: emptying the write-ahead log, copying the journal."""

import os
import shutil
import sqlite3
from pathlib import Path

from budgetal.files import sync_folder
from budgetal.store.connections import BUSY_TIMEOUT_MS

#: A log longer than this is copied into the journal and emptied, before the next transaction.
CHECKPOINT_BYTES = 4 * 2**20


def checkpoint_when_long(connection: sqlite3.Connection, journal: Path) -> None:
    """Empty a long write-ahead log. To be called under the writers' lock, before BEGIN.

    Before rather than after a transaction, so that a full disk here fails nothing that was committed.
    """
    log = journal.with_name(journal.name + "-wal")
    if not log.exists() or log.stat().st_size <= CHECKPOINT_BYTES:
        return
    # With a reader in the way it copies what it can and the next transaction tries again; nobody waits.
    connection.execute("PRAGMA busy_timeout=0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def set_log_aside(journal: Path) -> None:
    """Copy the log to <journal>-wal.damaged, since SQLite deletes it on closing, readable or not."""
    log = journal.with_name(journal.name + "-wal")
    # Once deleted it is made anew, empty: that must not replace the copy.
    if log.exists() and log.stat().st_size > 0:
        shutil.copyfile(log, log.with_name(log.name + ".damaged"))


def vacuum_into(connection: sqlite3.Connection, path: Path) -> None:
    """Write a consistent copy of the database to `path`, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        connection.execute("VACUUM INTO ?", (str(temporary),))
        _sync_file(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
