"""A short run killed, or refused by the disk, at each of its writes, syncs and renames."""

import shutil
import sys
from pathlib import Path

import append_script
import pytest
from faults import FILE_CALLS, count_calls, run_failing_at, run_killed_at, why_no_strace

from budgetal.store import ArrayStore, open_store

pytestmark = pytest.mark.skipif(why_no_strace() is not None, reason=str(why_no_strace()))
SCRIPT = Path(__file__).with_name("append_script.py")
COUNT = 3
#: Spread over creating, committing, storing an array and closing (the slow tests take every call).
QUICK_KILLS = [
    ("pwrite64", 1), ("pwrite64", 12), ("pwrite64", 30), ("pwrite64", 36), ("fdatasync", 2), ("fdatasync", 8),
    ("fsync", 3), ("fsync", 4), ("write", 4), ("rename", 2), ("unlink", 1), ("ftruncate", 1),
]  # fmt: skip
QUICK_ERRORS = [("pwrite64", "30+", "ENOSPC"), ("fdatasync", "8+", "EIO"), ("fsync", "4+", "ENOSPC")]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "project"


def script(folder: Path) -> list[str]:
    folder.mkdir()
    # -B: compiled modules are no part of the run.
    return [sys.executable, "-B", str(SCRIPT), str(folder / "journal.db"), str(COUNT), "--array"]


def check_nothing_acknowledged_is_lost(folder: Path, printed: str, at_most_more: int = 1) -> None:
    """Every printed event is there with its array; perhaps one more, which was committed but not printed."""
    acknowledged = [line.split() for line in printed.splitlines()]
    store = open_store(folder / "journal.db", create=True)
    arrays = ArrayStore(folder / "arrays")
    events = store.read()
    found = [[str(event.seq), str(event.data["number"]), event.data["ref"]] for event in events]
    assert found[: len(acknowledged)] == acknowledged
    assert len(found) <= len(acknowledged) + at_most_more
    for event in events:
        assert arrays.get(event.data["ref"]).tolist() == [event.data["number"]] * 100
    store.close()


def check_the_next_run_finishes(folder: Path) -> None:
    lines: list[str] = []
    append_script.run(folder / "journal.db", COUNT, acknowledge=lines.append, with_arrays=True)
    assert [line.split()[:2] for line in lines] == [["1", "0"], ["2", "1"], ["3", "2"]]
    check_nothing_acknowledged_is_lost(folder, "".join(lines), at_most_more=0)
    ArrayStore(folder / "arrays").prune({line.split()[2] for line in lines})
    assert len(list((folder / "arrays").iterdir())) == COUNT


@pytest.mark.parametrize(("call", "when"), QUICK_KILLS)
def test_killed_at_a_call(folder, call, when):
    killed = run_killed_at(script(folder), call, when)
    assert killed.returncode == -9, f"the run makes fewer than {when} calls of {call}"
    check_nothing_acknowledged_is_lost(folder, killed.stdout)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("call", FILE_CALLS)
def test_killed_at_every_call(folder, call):
    when = 0
    while True:
        when += 1
        killed = run_killed_at(script(folder), call, when)
        check_nothing_acknowledged_is_lost(folder, killed.stdout)
        if killed.returncode != -9:
            break
        check_the_next_run_finishes(folder)
        shutil.rmtree(folder)
    assert killed.returncode == 0


@pytest.mark.parametrize(("call", "when", "error"), QUICK_ERRORS)
def test_refused_by_the_disk_from_a_call_on(folder, call, when, error):
    refused = run_failing_at(script(folder), call, error, when)
    assert refused.returncode not in (0, -9)
    assert "StorageError: Cannot" in refused.stderr
    check_nothing_acknowledged_is_lost(folder, refused.stdout)
    check_the_next_run_finishes(folder)


@pytest.mark.parametrize(("call", "when", "error"), [("fdatasync", "9", "EIO"), ("pwrite64", "36", "ENOSPC")])
def test_a_commit_that_was_refused_once_may_be_tried_again(folder, call, when, error):
    disturbed = run_failing_at([*script(folder), "--retry"], call, error, when)
    assert disturbed.returncode == 0, disturbed.stderr
    check_nothing_acknowledged_is_lost(folder, disturbed.stdout, at_most_more=0)
    assert [line.split()[:2] for line in disturbed.stdout.splitlines()] == [["1", "0"], ["2", "1"], ["3", "2"]]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("call", FILE_CALLS)
def test_refused_once_at_every_call(folder, call, error):
    n_calls = count_calls(script(folder))[call]
    for when in range(1, n_calls + 1):
        shutil.rmtree(folder)
        refused = run_failing_at(script(folder), call, error, str(when))
        check_nothing_acknowledged_is_lost(folder, refused.stdout)
        check_the_next_run_finishes(folder)
