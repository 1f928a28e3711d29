import pytest

from budgetal.budget.cost import Paid, Prices
from budgetal.budget.ledger import Ledger
from budgetal.errors import BudgetError


def _paid(n, **more):
    return {Paid("crow", "ann", **more): n}


def test_a_reservation_counts_before_it_is_answered():
    ledger = Ledger(budget_labels=10, budget_money=None, prices=Prices(), paid=_paid(4)).reserve(5)
    assert ledger.available == 1
    with pytest.raises(BudgetError, match="Cannot ask for 2 labels: 1 are left"):
        ledger.reserve(2)


def test_the_tighter_of_labels_and_money_holds():
    assert Ledger(100, 1.0, Prices(0.1)).available == 10
    assert Ledger(5, 1.0, Prices(0.1)).available == 5
    assert Ledger(100, 1.0, Prices(0.1), _paid(10)).available == 0
    assert Ledger(100, 1.0, Prices(0.0)).available == 100
    assert Ledger(100, None, Prices(0.3), _paid(2)).spent_money == pytest.approx(0.6)


@pytest.mark.parametrize("n", [1, 7, 1_000, 99_999])
def test_a_budget_for_so_many_labels_buys_so_many(n):
    assert Ledger(10**6, n * 0.1, Prices(0.1)).available == n
    assert Ledger(10**6, n * 0.1, Prices(0.1), _paid(n - 1)).available == 1


def test_labels_that_are_asked_for_are_set_aside_at_the_highest_price():
    prices = Prices(1.0, factor_by_class={"owl": 3.0})
    assert Ledger(100, 30.0, prices).available == 10
    assert Ledger(100, 30.0, prices, _paid(12), reserved=2).available == 4


def test_what_audit_answers_say_does_not_decide_what_is_left():
    prices = Prices(1.0, factor_by_class={"owl": 3.0})
    cheap, dear = (Ledger(100, 60.0, prices, {Paid(name, "ann", is_audit=True): 10}) for name in ("crow", "owl"))
    assert cheap.available == dear.available == 10
    assert (cheap.spent_money, dear.spent_money) == (10.0, 30.0)
