"""A map over threads that keeps the order and holds only a few results at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Argument = TypeVar("Argument")
Result = TypeVar("Result")

# Threads, not processes: reading, hashing, decoding and resizing all release the interpreter's lock.
_MAX_THREADS = 16
_AHEAD_PER_THREAD = 8


def ordered_map(function: Callable[[Argument], Result], arguments: Iterable[Argument]) -> Iterator[Result]:
    """Yield `function(argument)` for each argument, in order, computed by a pool of threads.

    Only a bounded number of results waits, so that a stream of any length fits in memory.
    """
    n_threads = min(_MAX_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(n_threads, thread_name_prefix="data") as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for argument in arguments:
                waiting.append(pool.submit(function, argument))
                if len(waiting) >= n_threads * _AHEAD_PER_THREAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
