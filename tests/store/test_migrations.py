"""Schema changes: only forward, in one transaction, and the same table as the code describes."""

import os
import shutil
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from store_contract import append, number, values

from budgetal.store import Instant, Lease, migrate, open_store
from budgetal.store.connections import writer_engine
from budgetal.store.schema import SCHEMA_VERSION, metadata


def revisions() -> list[str]:
    return [script.revision for script in ScriptDirectory(str(migrate._FOLDER)).walk_revisions()][::-1]


def test_revisions_count_up_to_the_schema_version():
    assert revisions() == [f"{number:04}" for number in range(1, SCHEMA_VERSION + 1)]


def test_the_migrated_table_is_the_one_the_code_describes(tmp_path):
    open_store(tmp_path / "journal.db", create=True).close()
    with writer_engine(tmp_path / "journal.db").connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


NEXT = """
from alembic import op
revision = "{new:04}"
down_revision = "{old:04}"

def upgrade():
    op.execute("CREATE TABLE one (id INTEGER)")
    op.execute("INSERT INTO one SELECT seq FROM events")
    {between}
    op.execute("CREATE TABLE two (id INTEGER)")
"""


@pytest.fixture
def next_version(tmp_path, monkeypatch):
    """Plays a release with one more migration of two tables; the argument runs between the two."""
    folder = tmp_path / "odd 100% name"
    shutil.copytree(migrate._FOLDER, folder)

    def release(between: str) -> None:
        names = {"old": SCHEMA_VERSION, "new": SCHEMA_VERSION + 1}
        (folder / "versions" / "next.py").write_text(NEXT.format(between=between, **names))
        monkeypatch.setattr(migrate, "_FOLDER", folder)
        monkeypatch.setattr(migrate, "SCHEMA_VERSION", SCHEMA_VERSION + 1)

    return release


@pytest.fixture
def old_journal(tmp_path):
    journal = tmp_path / "journal.db"
    store = open_store(journal, create=True)
    append(store, number(5), number(6))
    store.close()
    return journal


def tables(journal) -> set[str]:
    with sqlite3.connect(journal) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in rows}


def test_an_older_journal_is_brought_up_to_date_on_opening(old_journal, next_version):
    next_version("pass")
    store = open_store(old_journal)
    assert tables(old_journal) == {"alembic_version", "events", "kept", "leases", "one", "two"}
    assert values(store.read()) == [5, 6]
    store.close()
    open_store(old_journal).close()


def test_a_migration_that_fails_between_leaves_the_old_journal(old_journal, next_version):
    next_version("raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        open_store(old_journal)
    assert tables(old_journal) == {"alembic_version", "events", "kept", "leases"}


def test_a_migration_killed_between_leaves_the_old_journal(old_journal, next_version):
    next_version("import os; os.kill(os.getpid(), 9)")
    child = os.fork()
    if child == 0:
        open_store(old_journal)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert tables(old_journal) == {"alembic_version", "events", "kept", "leases"}
    next_version("pass")
    store = open_store(old_journal)
    assert values(store.read()) == [5, 6]
    store.close()


def test_leases_of_the_third_schema_are_kept(old_journal):
    with open_store(old_journal).transaction() as transaction:
        transaction.lease([Lease("an image", "anna", 7, Instant("test", 2.0))])
    with sqlite3.connect(old_journal) as connection:
        connection.execute("DROP INDEX leases_in_hand")
        connection.execute("DROP INDEX leases_by_owner")
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    connection.close()
    store = open_store(old_journal)
    assert store.leases(["an image"])["an image"].token == 7
    assert store.owners(Instant("test", 1.0)) == {"an image": "anna"}
    store.close()


def test_a_journal_of_the_first_schema_opens_and_keeps_its_events(old_journal):
    with sqlite3.connect(old_journal) as connection:
        connection.execute("DROP TABLE leases")
        connection.execute("DROP TABLE kept")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    store = open_store(old_journal)
    assert values(store.read()) == [5, 6]
    assert store.leases(["an image"]) == {}
    store.close()
    assert tables(old_journal) == {"alembic_version", "events", "kept", "leases"}
