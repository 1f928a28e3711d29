"""Doing the next pieces of work in the background while the current one is used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

J = TypeVar("J")
R = TypeVar("R")


def prefetched(jobs: Iterable[J], load: Callable[[J], R], *, ahead: int = 2) -> Iterator[R]:
    """Yield load(job) for every job, in order, with up to `ahead` results made early in one thread.

    An error inside `load` is raised here, at its place in the order.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as thread:
        try:
            for job in jobs:
                waiting.append(thread.submit(load, job))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
