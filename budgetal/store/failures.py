"""Failures of the disk and of the database, told in the project's own words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from budgetal.errors import StorageError


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn a failure inside into StorageError("<doing>: <reason>…"). Keep callers' code out of it."""
    try:
        yield
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise StorageError(f"{doing}: {_reason(error)}. {_advice(_reason(error))}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        return str(error.orig)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def _advice(reason: str) -> str:
    reason = reason.lower()
    if "full" in reason or "space" in reason or "quota" in reason:
        return "Free some disk space and repeat the command"
    if "malformed" in reason or "not a database" in reason:
        return "The file is damaged: restore it from a backup"
    if "locked" in reason:
        return "Another program holds it: close that program and repeat the command"
    return "Nothing of this was recorded: check the disk and repeat the command"
