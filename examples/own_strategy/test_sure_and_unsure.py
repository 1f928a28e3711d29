"""Everything that a strategy promises, and what is special about this one."""

import pytest

from budgetal.measures import margin
from budgetal.testing import StrategyContract, make_pool
from budgetal.testing.pools import pick


@pytest.mark.parametrize("name", ["sure_and_unsure"])
class TestSureAndUnsure(StrategyContract):
    pass


def test_half_are_the_least_sure_and_half_the_surest():
    pool = make_pool(n=100)
    ranks = margin(pool.probs).argsort(descending=True).argsort()
    assert sorted(ranks[pick("sure_and_unsure", pool, 10).rows].tolist()) == [0, 1, 2, 3, 4, 95, 96, 97, 98, 99]
