"""Which files open as a journal, which are refused with which error, and that refused ones are left alone."""

import sqlite3
import subprocess
import sys

import pytest
from store_contract import append, number, values

from budgetal.errors import ProjectError, StorageError
from budgetal.store import open_store
from budgetal.store.filesystem import refuse_network_folder


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "journal.db"


def make(journal, n_events=3):
    store = open_store(journal, create=True)
    append(store, *[number(value) for value in range(n_events)])
    store.close()


def test_a_missing_journal_is_not_made_unasked(journal):
    with pytest.raises(ProjectError, match="no journal at"):
        open_store(journal)
    assert list(journal.parent.iterdir()) == []
    with pytest.raises(ProjectError, match="folder does not exist"):
        open_store(journal.parent / "missing" / "journal.db", create=True)
    with pytest.raises(ProjectError, match="not a file"):
        open_store(journal.parent, create=True)


def test_a_newer_schema_is_refused_naming_both_versions_and_left_alone(journal):
    make(journal)
    with sqlite3.connect(journal) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    connection.close()
    content = journal.read_bytes()
    with pytest.raises(ProjectError, match=r"newer budgetal \(schema 7, this one knows 4\): upgrade budgetal"):
        open_store(journal, create=True)
    assert journal.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(journal):
    with sqlite3.connect(journal) as connection:
        connection.execute("CREATE TABLE notes (id)")
    connection.close()
    with pytest.raises(ProjectError, match=r"another program's database .*notes"):
        open_store(journal, create=True)


def test_an_interrupted_creation_is_finished_only_when_asked(journal):
    journal.touch()
    with pytest.raises(ProjectError, match="empty"):
        open_store(journal)
    make(journal)
    assert values(open_store(journal).read()) == [0, 1, 2]


def test_a_file_that_is_no_database_is_refused_and_left_alone(journal):
    journal.write_bytes(b"holiday pictures" * 1000)
    with pytest.raises(StorageError, match=r"not a database.* backup"):
        open_store(journal, create=True)
    assert journal.read_bytes() == b"holiday pictures" * 1000


def test_a_journal_reached_by_two_paths_is_one(journal, tmp_path):
    make(journal)
    link = tmp_path / "link.db"
    link.symlink_to(journal)
    store = open_store(link)
    append(store, number(3))
    store.close()
    assert values(open_store(journal).read()) == [0, 1, 2, 3]
    assert not (tmp_path / "link.db.lock").exists()


def test_opening_a_current_journal_imports_no_alembic(journal):
    make(journal)
    code = (
        "import sys, pathlib; from budgetal.store import open_store\n"
        "store = open_store(pathlib.Path(sys.argv[1])); store.read()\n"
        "sys.exit('alembic' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(journal)]).returncode == 0


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_network_file_systems_are_refused(tmp_path, kind):
    mounts = tmp_path / "mounts"
    remote = tmp_path / "with space" / "remote"
    remote.mkdir(parents=True)
    point = str(remote).replace(" ", "\\040")
    mounts.write_text(f"disk / ext4 rw 0 0\nserver:/x {point} {kind} rw 0 0\n")
    with pytest.raises(ProjectError, match=rf"network file system \({kind}\)"):
        refuse_network_folder(remote, mounts)
    refuse_network_folder(remote.parent, mounts)
    mounts.write_text(mounts.read_text() + f"disk {point} ext4 rw 0 0\n")
    refuse_network_folder(remote, mounts)
    refuse_network_folder(remote, tmp_path / "no mounts here")
