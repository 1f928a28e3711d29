"""When a strategy counts as worse than random."""

import numpy as np
import pytest
from scipy.stats import binom

from budgetal.annotators.guard import SIGNIFICANCE, can_judge, judge
from budgetal.annotators.risk import GUARD, final_risk, risk_after_guard, round_risk


def right(n, n_right):
    return np.arange(n) < n_right


def test_p_is_the_chance_of_as_many_wins_of_the_random_model_by_coin_tosses():
    strategy = np.array([True] * 50 + [False] * 12 + [True] * 3 + [False] * 35)
    random = np.array([True] * 50 + [True] * 12 + [False] * 3 + [False] * 35)
    verdict = judge(strategy, random, 40, 40)
    assert verdict.p_value == pytest.approx(binom.sf(11, 15, 0.5))
    assert (verdict.strategy_accuracy, verdict.random_accuracy) == (0.53, 0.62)


@pytest.mark.parametrize(
    ("n_strategy", "n_random", "worse"), [(60, 90, True), (90, 60, False), (80, 80, False), (88, 90, False)]
)
def test_worse_means_worse_beyond_chance(n_strategy, n_random, worse):
    assert judge(right(100, n_strategy), right(100, n_random), 50, 50).worse is worse


def test_equally_good_strategies_are_rarely_called_worse():
    rng = np.random.default_rng(0)
    verdicts = [judge(*(rng.random((2, 120)) < 0.8), 50, 50).worse for _ in range(2_000)]
    assert np.mean(verdicts) <= SIGNIFICANCE


def test_nothing_is_judged_on_a_handful():
    assert can_judge(20, 50)
    assert not can_judge(19, 50)
    assert not can_judge(20, 49)


@pytest.mark.parametrize("has_target", [False, True])
def test_the_shares_of_all_looks_of_all_outcomes_sum_to_at_most_the_risk(has_target):
    def all_looks(risk):
        finals = sum(final_risk(risk, n, has_target=has_target) for n in range(60))
        return finals + sum(round_risk(risk, k, has_target=has_target) for k in range(20_000))

    never = all_looks(0.05)
    fallen_back = sum(all_looks(risk_after_guard(0.05, k)) for k in (0, 1, 2)) + 0.05 * 0.05 / 4
    assert never + fallen_back <= 0.05 * (1 + 1e-9)
    assert never == pytest.approx(0.05 * (1 - GUARD), rel=1e-4)
