import pytest
from strategy_contract import StrategyContract

from budgetal.query import strategies


@pytest.mark.parametrize("name", list(strategies))
class TestEveryRegisteredStrategy(StrategyContract):
    pass
