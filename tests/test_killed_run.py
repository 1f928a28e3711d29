"""kill -9 at any write, fsync or rename: no acknowledged label is lost, and the run ends as if undisturbed."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from collections_made import write_npy
from faults import FILE_CALLS, why_no_strace

from budgetal.project import Project

pytestmark = pytest.mark.skipif(bool(why_no_strace()), reason=str(why_no_strace()))

QUICK_POINTS = 8
ALL_POINTS = 100
RANDOM_POINTS = 20
UNCOMPARED = ("seconds_total", "peak_memory_mb")


class KillServer:
    """One process with everything imported, which forks a run at a time."""

    def __init__(self, images: Path) -> None:
        script = Path(__file__).with_name("kill_server.py")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._server = subprocess.Popen(
            [sys.executable, str(script), str(images)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, out: Path, *strace: str, kill_after_s: float | None = None) -> bool:
        """Run in `out`, traced with `strace` options. True when the run came to its end."""
        self._server.stdin.write(f"{out}\n")
        self._server.stdin.flush()
        child = int(self._server.stdout.readline())
        _wait_until_stopped(child)
        tracer = _attach(child, strace) if strace else None
        os.kill(child, signal.SIGCONT)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(child, signal.SIGKILL)
        status = int(self._server.stdout.readline())
        if tracer:
            tracer.wait()
        assert status in (0, signal.SIGKILL), f"the run failed by itself: {status}"
        return status == 0

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait()


def _wait_until_stopped(pid: int) -> None:
    stat = Path(f"/proc/{pid}/stat")
    while stat.read_text().rpartition(")")[2].split()[0] not in "Tt":
        time.sleep(0.002)


def _attach(pid: int, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-p", str(pid), *options], stderr=subprocess.DEVNULL)
    status = Path(f"/proc/{pid}/status")
    while re.search(r"TracerPid:\t0\n", status.read_text()):
        assert tracer.poll() is None, "strace could not attach"
        time.sleep(0.002)
    return tracer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = KillServer(write_npy(tmp_path_factory.mktemp("images"), 120))
    yield server
    server.close()


@pytest.fixture(scope="module")
def undisturbed(server, tmp_path_factory):
    """The outcome of a run that nobody kills, and how often it makes each call."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    trace = out.with_suffix(".trace")
    assert server.run(out, "-o", str(trace), "-e", "trace=" + ",".join(FILE_CALLS))
    calls = Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    return _outcome(out), calls


def _points(calls: Counter[str], n: int) -> list[tuple[str, int]]:
    """`n` (call, number) pairs spread evenly over all calls of a run."""
    every = [(call, number) for call, count in sorted(calls.items()) for number in range(1, count + 1)]
    return [every[i * len(every) // n] for i in range(min(n, len(every)))]


def _outcome(out: Path) -> tuple[str, dict[str, object]]:
    report = json.loads((out / "report.json").read_text())
    for name in UNCOMPARED:
        del report[name]
    for record in report["rounds"]:
        del record["seconds"]
    del report["forecast"]["spent"]["compute_hours"]
    return (out / "labels.csv").read_text(), report


def _check_after_kill(server, out, expected):
    noted = Path(f"{out}.acknowledged")
    acknowledged = set(noted.read_text().split("\n")[:-1]) if noted.exists() else set()
    if acknowledged:
        project = Project(out)
        assert acknowledged <= set(project.state.labels)
        project.close()
    assert server.run(out)
    assert _outcome(out) == expected


def _kill_everywhere(server, undisturbed, tmp_path, n):
    expected, calls = undisturbed
    for call, number in _points(calls, n):
        out = tmp_path / f"{call}-{number}"
        ended = server.run(
            out, "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"
        )
        # Threads count their calls each for itself, so a late number may never come: then the run ends.
        if not ended:
            _check_after_kill(server, out, expected)
        shutil.rmtree(out, ignore_errors=True)


def test_killed_at_some_writes(server, undisturbed, tmp_path):
    _kill_everywhere(server, undisturbed, tmp_path, QUICK_POINTS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_writes_all_over_the_run(server, undisturbed, tmp_path):
    assert sum(undisturbed[1].values()) >= ALL_POINTS
    _kill_everywhere(server, undisturbed, tmp_path, ALL_POINTS)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_random_moments(server, undisturbed, tmp_path):
    rng = random.Random(0)
    for i in range(RANDOM_POINTS):
        out = tmp_path / str(i)
        if not server.run(out, kill_after_s=rng.uniform(0, 1.5)):
            _check_after_kill(server, out, undisturbed[0])
