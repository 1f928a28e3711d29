import pytest

from budgetal.query import budget_spent, plateau, target_reached


def test_budget_is_spent_when_the_next_query_does_not_fit():
    assert not budget_spent(90, 100, next_query=10)
    assert budget_spent(91, 100, next_query=10)
    assert budget_spent(100, 100)


def test_target_is_reached_at_the_target_and_never_without_one():
    assert target_reached(0.8, 0.8)
    assert not target_reached(0.79, 0.8)
    assert not target_reached(None, 0.8)
    assert not target_reached(1.0, None)


def test_plateau_compares_the_best_of_the_last_rounds_with_the_best_before():
    rising, flat = [0.5, 0.6, 0.7, 0.8], [0.5, 0.8, 0.79, 0.8]
    assert not plateau(rising, rounds=2)
    assert plateau(flat, rounds=2)
    assert not plateau(flat, rounds=3)
    assert not plateau([0.5, 0.8, 0.7, 0.81], rounds=2)
    assert plateau([0.5, 0.8, 0.7, 0.81], rounds=2, min_gain=0.02)


def test_too_short_a_curve_is_no_plateau():
    assert not plateau([0.9, 0.1], rounds=2)
    assert not plateau([], rounds=1)


def test_impossible_numbers_are_refused():
    with pytest.raises(ValueError, match="negative"):
        budget_spent(-1, 10)
    with pytest.raises(ValueError, match="fractions"):
        target_reached(80, 0.8)
    with pytest.raises(ValueError, match="NaN"):
        plateau([0.1, float("nan"), 0.2], rounds=1)
    with pytest.raises(ValueError, match="rounds"):
        plateau([0.1], rounds=0)
