"""The bounds by brute force: every draw of a tiny pool, every count of a small one, and simulations."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from budgetal.annotators.bounds import (
    EXPECTED_RATE,
    audit_labels_needed,
    betting_upper_bound,
    clopper_pearson_upper_bound,
    hypergeometric_upper_bound,
    log_capital,
    remaining_error_bound,
)


@given(st.data())
def test_hypergeometric_bound_is_the_largest_unrefuted_count(data):
    population = data.draw(st.integers(1, 60))
    sample = data.draw(st.integers(0, population))
    errors = data.draw(st.integers(0, sample))
    risk = data.draw(st.floats(0.01, 0.5))
    possible = range(errors, population - sample + errors + 1)
    unrefuted = [m for m in possible if stats.hypergeom.cdf(errors, population, m, sample) > risk]
    assert hypergeometric_upper_bound(population, sample, errors, risk) == max(unrefuted)


@pytest.mark.parametrize("counts", [(10, 11, 0), (10, 5, 6), (10, 5, -1)])
def test_impossible_counts_raise(counts):
    with pytest.raises(ValueError, match="impossible counts"):
        hypergeometric_upper_bound(*counts, 0.05)


def test_clopper_pearson_inverts_the_binomial_tail():
    bound = clopper_pearson_upper_bound(100, 3, 0.05)
    assert stats.binom.cdf(3, 100, bound) == pytest.approx(0.05)
    assert clopper_pearson_upper_bound(4, 4, 0.05) == 1.0


def test_finite_population_is_never_looser():
    for errors in range(5):
        exact = hypergeometric_upper_bound(1_000, 200, errors, 0.05) / 1_000
        assert exact <= clopper_pearson_upper_bound(200, errors, 0.05)


@pytest.mark.parametrize(("tolerance", "needed"), [(0.05, 59), (0.01, 299)])
def test_the_rule_of_three_of_the_method(tolerance, needed):
    assert audit_labels_needed(tolerance, 0.05) == needed


def test_a_population_that_was_wholly_audited_has_nothing_left_to_err():
    assert remaining_error_bound(50, 50, 7, 0.05) == 0.0


@pytest.mark.parametrize("risk", [0.01, 0.05, 0.3])
def test_zero_errors_have_a_closed_form(risk):
    """No error in n of an endless pool refutes every rate above 1 - risk^(1/n)."""
    for n in (1, 7, 59, 400):
        assert clopper_pearson_upper_bound(n, 0, risk) == pytest.approx(1 - risk ** (1 / n))
    # In a pool of N: the product of (N - M - i) / (N - i) over the n answers.
    worst = hypergeometric_upper_bound(300, 40, 0, risk)
    chance = [np.prod([(300 - m - i) / (300 - i) for i in range(40)]) for m in (worst, worst + 1)]
    assert chance[0] > risk >= chance[1]


def test_bounds_fall_with_risk_and_sample_and_rise_with_errors():
    by_risk = [hypergeometric_upper_bound(500, 80, 3, risk) for risk in (0.001, 0.01, 0.05, 0.2)]
    by_sample = [hypergeometric_upper_bound(500, n, 3, 0.05) for n in (20, 40, 80, 160, 320)]
    by_errors = [hypergeometric_upper_bound(500, 80, errors, 0.05) for errors in range(10)]
    assert by_risk == sorted(by_risk, reverse=True)
    assert by_sample == sorted(by_sample, reverse=True)
    assert by_errors == sorted(by_errors)
    assert len(set(by_risk)) == 4


@pytest.mark.parametrize("n_wrong", [0, 1, 9, 40])
def test_every_bound_covers_the_truth_as_often_as_it_says(n_wrong):
    """All 400 draws' bounds at once; the sequence's is looked at after every answer."""
    rng, n, n_sample, risk, n_runs = np.random.default_rng(n_wrong), 200, 60, 0.1, 400
    missed = np.zeros(3)
    for _ in range(n_runs):
        wrong = rng.permutation(np.arange(n) < n_wrong)[:n_sample]
        errors = int(wrong.sum())
        missed[0] += hypergeometric_upper_bound(n, n_sample, errors, risk) < n_wrong
        missed[1] += clopper_pearson_upper_bound(n_sample, errors, risk) < n_wrong / n
        missed[2] += log_capital(n, wrong, np.array([n_wrong]))[0] >= -np.log(risk)
    assert min(stats.binomtest(int(k), n_runs, risk, alternative="greater").pvalue for k in missed) > 0.01


def _capital_by_hand(n, wrong, hypothesis):
    """The definition, one answer at a time, with the bet lambda of the paper."""
    capital, highest, left, errors = 1.0, 1.0, hypothesis, 0
    for t, x in enumerate(wrong):
        p = left / (n - t)
        q = min(p, (errors + 0.5) / (t + 0.5 / EXPECTED_RATE))
        bet = (p - q) / (p * (1 - p)) if 0 < p < 1 else 0.0
        if p == 1 and not x:
            return np.inf
        capital *= 1 - bet * (x - p)
        highest, left, errors = max(highest, capital), left - x, errors + x
    return highest


@given(st.data())
@settings(max_examples=60)
def test_the_betting_bound_is_the_largest_count_that_bets_never_refuted(data):
    population = data.draw(st.integers(1, 25))
    wrong = np.array(data.draw(st.lists(st.booleans(), max_size=population)), dtype=bool)
    risk = data.draw(st.floats(0.02, 0.5))
    errors = int(wrong.sum())
    possible = range(errors, population - len(wrong) + errors + 1)
    unrefuted = [m for m in possible if _capital_by_hand(population, wrong.tolist(), m) < 1 / risk]
    assert betting_upper_bound(population, wrong, risk) == max(unrefuted, default=errors)


@pytest.mark.parametrize("n_wrong", [0, 1, 2, 4, 6])
def test_the_capital_of_the_truth_is_a_martingale_over_all_orders_of_a_tiny_pool(n_wrong):
    """Mean 1 after each answer; at most `risk` of the orders ever reach 1 / risk (Ville's inequality)."""
    orders = np.array(sorted(set(permutations([True] * n_wrong + [False] * (6 - n_wrong)))), dtype=bool)
    hypothesis = np.array([n_wrong])
    for risk in (0.05, 0.2, 0.5, 0.9):
        assert np.mean([log_capital(6, order, hypothesis)[0] >= -np.log(risk) for order in orders]) <= risk
    for n in range(1, 7):
        finals = [_final_capital(6, order[:n], n_wrong) for order in orders]
        assert np.mean(finals) == pytest.approx(1)


def _final_capital(n, wrong, hypothesis):
    capital, left, errors = 1.0, hypothesis, 0
    for t, x in enumerate(wrong):
        p = left / (n - t)
        q = min(p, (errors + 0.5) / (t + 0.5 / EXPECTED_RATE))
        if 0 < p < 1:
            capital *= (q if x else 1 - q) / (p if x else 1 - p)
        left, errors = left - x, errors + x
    return capital


def test_more_wrong_images_only_lower_the_expected_capital():
    """Against more than the hypothesis says the bets lose on average, so one hypothesis stands for all above it."""
    orders = set(permutations([True] * 4 + [False] * 3))
    assert np.mean([_final_capital(7, order[:4], 2) for order in orders if sum(order[:4]) <= 2]) < 1


def test_bets_know_everything_once_the_whole_pool_was_seen():
    wrong = np.array([False] * 30 + [True] * 2 + [False] * 8)
    assert betting_upper_bound(40, wrong, 1e-9) == 2
    assert betting_upper_bound(40, wrong[:0], 0.05) == 40
    assert betting_upper_bound(1, np.array([True]), 0.05) == 1
    assert betting_upper_bound(1, np.array([False]), 0.05) == 0


def test_bets_never_take_back_what_they_refuted():
    wrong = np.random.default_rng(3).random(300) < 0.03
    bounds = [betting_upper_bound(4_000, wrong[:n], 0.05) for n in range(0, 301, 20)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < 400


def test_the_price_of_looking_after_every_answer():
    """With no error seen, 5 % takes 59 answers for one look, and under a third more for any number of looks."""

    def needed(n):
        return log_capital(10**7, np.zeros(n, bool), np.array([500_000]))[0] >= np.log(20)

    first = next(n for n in range(59, 200) if needed(n))
    assert 59 < first <= 78


def test_a_betting_bound_of_impossible_counts_raises():
    with pytest.raises(ValueError, match="impossible counts"):
        betting_upper_bound(3, np.zeros(4, bool), 0.05)
