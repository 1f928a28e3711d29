"""The threaded map: order, bounded look-ahead, errors."""

import time

import pytest

from budgetal.data import parallel
from budgetal.data.parallel import ordered_map, prefetched


def test_results_come_in_the_order_of_the_arguments() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.02 if i == 0 else 0)
        return i * i

    assert list(ordered_map(slow_first, range(100))) == [i * i for i in range(100)]
    assert list(ordered_map(slow_first, [])) == []


def test_arguments_are_taken_only_a_little_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_MAX_THREADS", 2)
    taken = []

    def arguments():
        for i in range(10_000):
            taken.append(i)
            yield i

    results = ordered_map(lambda i: i, arguments())
    assert next(results) == 0
    results.close()
    assert len(taken) <= 16


def test_an_error_reaches_the_caller_at_its_place() -> None:
    results = ordered_map(lambda i: 1 // (3 - i), range(10))
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_prefetched_keeps_order_and_raises_at_its_place():
    def load(job):
        if job == 3:
            raise OSError("image 3 is gone")
        return job * 10

    results = prefetched(range(6), load)
    assert [next(results) for _ in range(3)] == [0, 10, 20]
    with pytest.raises(OSError, match="image 3"):
        next(results)


def test_prefetched_loads_no_more_than_asked_ahead():
    loaded = []
    results = prefetched(range(100), loaded.append, ahead=2)
    next(results)
    results.close()
    assert len(loaded) <= 4
