"""The file lock that all writers of one journal share, and the mark that shows a lost end.

SQLite 3.7.0 to 3.51.2 can lose commits when one connection checkpoints while another writes (the
WAL-reset bug), and two busy writers starve one another. Both end when all write and checkpoint under
this lock.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from budgetal.store.failures import storage_errors

_MARK_BYTES = 20


def lock_path(journal: Path) -> Path:
    """The lock file of `journal`."""
    return journal.with_name(journal.name + ".lock")


@contextmanager
def writer_lock(journal: Path) -> Iterator[int]:
    """Wait for the turn to write to `journal`; yield the lock file's descriptor.

    A dead holder holds nothing. The file is opened for each turn, so that a child forked between two
    turns cannot keep the lock alive.
    """
    with storage_errors(f"Cannot lock {journal}"):
        descriptor = os.open(lock_path(journal), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def write_mark(descriptor: int, seq: int) -> None:
    """Note that events up to `seq` are committed.

    Not fsynced: after a power loss the mark may be old, which hides damage but never invents it.
    """
    os.pwrite(descriptor, str(seq).zfill(_MARK_BYTES).encode(), 0)


def is_end_lost(descriptor: int, last_seq: int) -> bool:
    """Whether a journal that ends at `last_seq` lacks committed events, or its mark is unreadable.

    SQLite ends a write-ahead log at its first damaged frame without a word, so that a flipped byte
    there, or a missing -wal file, looks like a shorter journal.
    """
    # A power loss may leave zeros where the mark was never written back.
    mark = os.pread(descriptor, _MARK_BYTES, 0).strip(b"\0")
    return bool(mark) and not (mark.isdigit() and int(mark) <= last_seq)
