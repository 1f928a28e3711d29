"""Seconds and peak memory of calls, in a process that a budget may end."""

import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
import torch

Answer = TypeVar("Answer")

LONG_S = 5.0  # a first call of this length counts: what a warm-up would save is lost in it
BRIEF_S = 0.5  # short calls are repeated for so long
ENOUGH_S = 30.0  # no further repeats once so much has been measured
MEMORY_SHARE = 0.75  # of the machine; a call that wants more fails by itself instead of having others killed


def repeated(call: Callable[[], Answer], repeats: int, budget_s: float) -> tuple[list[float], Answer]:
    """Seconds of about `repeats` calls, more of short ones and fewer of long ones, and the last answer.

    The first call only warms up, unless it is long.
    """
    first_s, answer = timed(call, budget_s)
    seconds = [first_s] if first_s >= LONG_S else []
    while (len(seconds) < repeats or sum(seconds) < BRIEF_S) and sum(seconds) < ENOUGH_S:
        took_s, answer = timed(call, budget_s)
        seconds.append(took_s)
    return seconds, answer


def timed(call: Callable[[], Answer], budget_s: float) -> tuple[float, Answer]:
    """Seconds and answer. SIGALRM ends the process after `budget_s`, wherever the call is then."""
    signal.setitimer(signal.ITIMER_REAL, budget_s)
    synchronise()
    started_s = time.perf_counter()
    answer = call()
    synchronise()
    took_s = time.perf_counter() - started_s
    signal.setitimer(signal.ITIMER_REAL, 0)
    return took_s, answer


def synchronise() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def limit_memory() -> None:
    """Let this process map no more than `MEMORY_SHARE` of the machine's memory."""
    most = int(MEMORY_SHARE * psutil.virtual_memory().total)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def peak_bytes(device: str) -> int:
    """Most memory that this process has held so far; mapped data counts once they were read."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    # Unlike ru_maxrss, this does not begin with what the parent process held.
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
