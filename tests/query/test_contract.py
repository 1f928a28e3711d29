import pytest

from budgetal.query import strategies
from budgetal.testing import StrategyContract


@pytest.mark.parametrize("name", list(strategies))
class TestEveryRegisteredStrategy(StrategyContract):
    pass
