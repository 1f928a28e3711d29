import pytest

from budgetal.budget.ledger import Ledger
from budgetal.errors import BudgetError


def test_a_reservation_counts_before_it_is_answered():
    ledger = Ledger(budget_labels=10, budget_money=None, cost_per_label=1.0, spent=4).reserve(5)
    assert ledger.available == 1
    with pytest.raises(BudgetError, match="Cannot ask for 2 labels: 1 are left"):
        ledger.reserve(2)


def test_the_tighter_of_labels_and_money_holds():
    assert Ledger(100, 1.0, 0.1).available == 10
    assert Ledger(5, 1.0, 0.1).available == 5
    assert Ledger(100, 1.0, 0.1, spent=10).available == 0
    assert Ledger(100, 1.0, 0.0).available == 100
    assert Ledger(100, None, 0.3, spent=2).spent_money == pytest.approx(0.6)
