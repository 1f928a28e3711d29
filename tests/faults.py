"""Runs a command and kills it, or fails one of its system calls, at a chosen call (by strace)."""

import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

#: The calls that change files, of SQLite and of the array store.
FILE_CALLS = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "renameat2", "unlink")


@functools.cache
def why_no_strace() -> str | None:
    """Why faults cannot be injected here, None where they can: the reason for a skip."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"ptrace is refused: {tried.stderr.strip()}"


def run_killed_at(
    command: Sequence[str], syscall_set: str, when: int, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `command` and kill it with SIGKILL at the `when`-th call (from 1) of `syscall_set`, "fsync,rename".

    Each thread counts its own calls. The call does not take place. Return code -9 says that it was killed;
    any other that it made fewer calls.
    """
    return _run_injected(command, syscall_set, f"signal=KILL:when={when}", env)


def run_failing_at(
    command: Sequence[str], syscall_set: str, error: str, when: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `command` with `error` ("ENOSPC") for the calls `when`: "3" the third, "3+" from the third on."""
    return _run_injected(command, syscall_set, f"error={error}:when={when}", env)


def count_calls(command: Sequence[str], env: Mapping[str, str] | None = None) -> Counter[str]:
    """How often an undisturbed run makes each of FILE_CALLS. Raises CalledProcessError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        filtered = ["strace", "-f", "-qq", "-o", str(trace), "-e", "trace=" + ",".join(FILE_CALLS)]
        subprocess.run([*filtered, *command], env=env, check=True, capture_output=True, timeout=120)
        return Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))


def _run_injected(
    command: Sequence[str], syscall_set: str, fault: str, env: Mapping[str, str] | None
) -> subprocess.CompletedProcess[str]:
    filtered = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={syscall_set}"]
    injected = [*filtered, "-e", f"inject={syscall_set}:{fault}", *command]
    return subprocess.run(injected, env=env, capture_output=True, text=True, timeout=120)
