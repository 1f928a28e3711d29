"""Bringing a journal to this version's schema, in one transaction: old or new, never between."""

from pathlib import Path

import sqlalchemy as sa

from budgetal.errors import ProjectError, StorageError
from budgetal.store.schema import SCHEMA_VERSION, events_table

_FOLDER = Path(__file__).parent / "migrations"


def bring_up_to_date(connection: sa.Connection, journal: Path, *, create: bool) -> None:
    """Run the migrations that `journal` lacks. With `create`, an empty database gets them all.

    Raises ProjectError for a database that is empty, not a journal, or of a newer version.
    """
    with connection.begin():
        version = _version(connection)
        if version == SCHEMA_VERSION:
            return
        if version is None:
            _refuse_unless_new(connection, journal, create=create)
        elif version > SCHEMA_VERSION:
            raise ProjectError(
                f"{journal} was written by a newer budgetal (schema {version}, this one knows "
                f"{SCHEMA_VERSION}): upgrade budgetal"
            )
        _upgrade(connection)


def has_events(connection: sa.Connection) -> bool:
    """Whether the database holds the journal's table, of whichever version."""
    return sa.inspect(connection).has_table(events_table.name)


def _version(connection: sa.Connection) -> int | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    if len(found) != 1 or not str(found[0]).isdecimal():
        raise StorageError(f"The journal's schema version is unreadable ({found}): restore it from a backup")
    return int(found[0])


def _refuse_unless_new(connection: sa.Connection, journal: Path, *, create: bool) -> None:
    tables = sa.inspect(connection).get_table_names()
    if tables:
        raise ProjectError(f"{journal} is another program's database (table {tables[0]!r}): name another file")
    if not create:
        raise ProjectError(f"{journal} is empty: its creation was interrupted, so create the project again")


def _upgrade(connection: sa.Connection) -> None:
    # Alembic takes 0.3 s to import; most openings need none of it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
