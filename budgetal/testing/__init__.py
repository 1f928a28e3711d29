"""For the tests of those who extend budgetal: what every query strategy promises, as a suite to inherit.

    import pytest
    from budgetal.testing import StrategyContract

    @pytest.mark.parametrize("name", ["mine"])
    class TestMine(StrategyContract): ...

Needs pytest.
"""

import pytest

# Before the import: assertions in there are to explain themselves as those of a test file do.
pytest.register_assert_rewrite("budgetal.testing.strategy_contract")

from budgetal.testing.pools import make_pool  # noqa: E402
from budgetal.testing.strategy_contract import StrategyContract  # noqa: E402

__all__ = ["StrategyContract", "make_pool"]
