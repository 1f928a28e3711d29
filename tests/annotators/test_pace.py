"""A person's pace: the median gap between answers, of those gaps that are a person's."""

from budgetal.annotators.pace import Pace


def _pace(times, queries=None):
    pace = Pace()
    for at, query in zip(times, queries or [1] * len(times), strict=True):
        pace.note("ann", query, at)
    return pace.seconds_per_answer("ann")


def test_it_is_the_median_gap():
    assert _pace([0, 2, 5, 9, 10, 16]) == 3


def test_breaks_answers_told_at_once_and_clocks_that_step_back_do_not_count():
    assert _pace([0, 2, 4, 4, 4.1, 6.1, 500, 502, 400, 402]) == 2


def test_from_one_query_to_the_next_the_machine_was_at_work():
    assert _pace([0, 1, 2, 40, 41, 42, 80, 81], [1, 1, 1, 2, 2, 2, 3, 3]) == 1


def test_few_answers_and_strangers_have_no_pace():
    assert _pace([0, 1, 2, 3, 4]) is None
    assert Pace().seconds_per_answer("nobody") is None
