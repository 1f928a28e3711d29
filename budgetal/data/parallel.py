"""Maps over threads that keep the order and hold only a few results at a time."""

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

    Only a bounded number of results waits, so that a stream of any length fits in memory. An error inside
    `function` is raised here, at its place in the order.
    """
    n_threads = min(_MAX_THREADS, os.cpu_count() or 1)
    return _mapped(function, arguments, n_threads, most_waiting=n_threads * _AHEAD_PER_THREAD)


def prefetched(
    arguments: Iterable[Argument], function: Callable[[Argument], Result], *, ahead: int = 2
) -> Iterator[Result]:
    """Yield `function(argument)` for each argument, in order, with up to `ahead` results made early in one thread.

    An error inside `function` is raised here, at its place in the order.
    """
    return _mapped(function, arguments, 1, most_waiting=ahead + 1)


def _mapped(
    function: Callable[[Argument], Result], arguments: Iterable[Argument], n_threads: int, most_waiting: int
) -> Iterator[Result]:
    with ThreadPoolExecutor(n_threads, thread_name_prefix="ahead") as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for argument in arguments:
                waiting.append(pool.submit(function, argument))
                if len(waiting) >= most_waiting:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
