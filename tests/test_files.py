import errno
import os
import stat

import pytest

from budgetal.files import write_atomic


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "labels.csv"
    write_atomic(path, b"old")

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["labels.csv"]


def test_results_are_as_readable_as_the_umask_says(tmp_path):
    before = os.umask(0o022)
    try:
        write_atomic(tmp_path / "report.html", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o644
