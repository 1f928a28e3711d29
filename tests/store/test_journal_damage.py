"""A journal with a flipped byte or a lost end is refused, or gives exactly the events that were written."""

import shutil
import sqlite3

import pytest
from store_contract import append, number

from budgetal.errors import BudgetalError, StorageError
from budgetal.store import NewEvent, open_store

STRIDE = 512


@pytest.fixture
def folder(tmp_path):
    """A project whose last events are in the write-ahead log only, as after a kill."""
    live = tmp_path / "live"
    live.mkdir()
    store = open_store(live / "journal.db", create=True)
    append(store, *[NewEvent("labelled", {"label": "cat", "at": value}, f"key-{value}") for value in range(60)])
    store.close()
    store = open_store(live / "journal.db")
    for value in range(4):
        append(store, number(value))
    killed = tmp_path / "killed"
    # Copied before closing, which would empty the log.
    shutil.copytree(live, killed, ignore=shutil.ignore_patterns("*-shm"))
    store.close()
    return killed


def read_all(folder):
    store = open_store(folder / "journal.db")
    try:
        return store.read()
    finally:
        store.close()


def copies(folder, name):
    """A fresh copy of `folder` for every 512th byte of its file `name`, with that byte flipped."""
    content = (folder / name).read_bytes()
    for offset in range(0, len(content), STRIDE):
        damaged = folder.with_name("damaged")
        shutil.copytree(folder, damaged)
        flipped = content[:offset] + bytes([content[offset] ^ 0x41]) + content[offset + 1 :]
        (damaged / name).write_bytes(flipped)
        yield offset, damaged
        shutil.rmtree(damaged)


def test_the_copy_holds_all_events(folder):
    assert (folder / "journal.db-wal").stat().st_size > 4 * 4096
    assert len(read_all(folder)) == 64


def test_a_flipped_byte_in_the_log_is_refused(folder):
    for offset, damaged in copies(folder, "journal.db-wal"):
        with pytest.raises(StorageError, match="end is lost or damaged"):
            print(offset, len(read_all(damaged)))


def test_a_journal_with_a_damaged_log_stays_refused_and_the_log_is_kept(folder):
    log = folder / "journal.db-wal"
    content = bytearray(log.read_bytes())
    content[100] ^= 1
    log.write_bytes(content)
    for _ in range(2):
        with pytest.raises(StorageError, match="end is lost or damaged"):
            read_all(folder)
    # SQLite has deleted its own by now.
    assert not log.exists()
    assert (folder / "journal.db-wal.damaged").read_bytes() == content


def test_a_flipped_byte_in_the_database_changes_no_event_silently(folder):
    expected = read_all(folder)
    n_refused = 0
    for offset, damaged in copies(folder, "journal.db"):
        try:
            assert read_all(damaged) == expected, offset
        except BudgetalError:
            n_refused += 1
    # Most bytes are in free space or in an index that reading does not use.
    assert n_refused > 5


@pytest.mark.parametrize("size", [0, 20, 32, 5000, 12000, -1])
def test_a_torn_or_missing_log_is_refused(folder, size):
    log = folder / "journal.db-wal"
    log.write_bytes(log.read_bytes()[:size])
    with pytest.raises(StorageError, match=r"ends at event 6\d.*delete .*lock"):
        read_all(folder)
    log.unlink(missing_ok=True)
    with pytest.raises(StorageError, match="ends at event"):
        read_all(folder)


def test_the_owner_may_accept_the_lost_end(folder):
    (folder / "journal.db-wal").unlink()
    (folder / "journal.db.lock").unlink()
    assert len(read_all(folder)) == 60


def test_a_new_journal_does_not_hide_a_lost_one(folder):
    (folder / "journal.db-wal").unlink()
    (folder / "journal.db").unlink()
    with pytest.raises(StorageError, match="ends at event 0"):
        open_store(folder / "journal.db", create=True)


def test_a_mark_that_a_power_loss_zeroed_refuses_nothing(folder):
    (folder / "journal.db.lock").write_bytes(bytes(20))
    assert len(read_all(folder)) == 64


def test_an_edited_event_is_refused_by_number(folder):
    edit(folder, "UPDATE events SET data = replace(data, 'cat', 'dog') WHERE seq = 7")
    with pytest.raises(StorageError, match="damaged at event 7"):
        read_all(folder)


def test_a_deleted_event_is_refused_by_number(folder):
    edit(folder, "DELETE FROM events WHERE seq = 7")
    with pytest.raises(StorageError, match="lacks event 7"):
        read_all(folder)


def edit(folder, statement):
    with sqlite3.connect(folder / "journal.db") as connection:
        connection.execute(statement)
    connection.close()
