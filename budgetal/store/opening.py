"""Which store a project's journal is in. PostgreSQL will be told apart here."""

from pathlib import Path

from budgetal.store.sql import open_sqlite
from budgetal.store.store import Store


def open_store(path: Path, *, create: bool = False) -> Store:
    """Open the journal at `path`, bringing an older schema up to date. `create` makes a missing one.

    Raises ProjectError when there is no journal, when a newer budgetal wrote it, or when the folder
    is on a network file system; StorageError when it is damaged or cannot be written.
    """
    return open_sqlite(path, create=create)
