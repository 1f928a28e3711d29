"""Bounds from an audit whose people err too: by enumeration and by simulation."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from budgetal.annotators.audit_errors import bound_with_audit_errors, wrong_upper_bound
from budgetal.annotators.bounds import hypergeometric_upper_bound


def _chance(population, sample, most, n_wrong, rho, n_classes):
    """P[at most `most` disagreements], summed over who is drawn and who answers what."""
    total = 0.0
    for k in range(sample + 1):
        drawn = stats.hypergeom.pmf(k, population, n_wrong, sample)
        for among_wrong in range(k + 1):
            for among_right in range(sample - k + 1):
                if among_wrong + among_right <= most:
                    seen = stats.binom.pmf(among_wrong, k, 1 - rho / (n_classes - 1))
                    total += drawn * seen * stats.binom.pmf(among_right, sample - k, rho)
    return total


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_the_bound_is_the_largest_unrefuted_count(data):
    population = data.draw(st.integers(1, 14))
    sample = data.draw(st.integers(0, min(5, population)))
    disagreements = data.draw(st.integers(0, sample))
    rho, n_classes = data.draw(st.sampled_from([(0.0, 2), (0.05, 2), (0.2, 3), (0.3, 10)]))
    risk = data.draw(st.floats(0.02, 0.4))
    counts = (population, sample, disagreements)
    chances = np.array([_chance(*counts, m, rho, n_classes) for m in range(population + 1)])
    # Two sums of the same numbers in another order may fall on either side of a risk that they equal.
    assume(np.abs(chances - risk).min() > 1e-9)
    unrefuted = np.flatnonzero(chances > risk)
    assert wrong_upper_bound(*counts, risk, rho, n_classes) == unrefuted.max(initial=0)


@pytest.mark.parametrize("errors", [0, 1, 4])
def test_without_errors_of_people_it_is_the_hypergeometric_bound(errors):
    expected = hypergeometric_upper_bound(2_000, 150, errors, 0.05)
    assert wrong_upper_bound(2_000, 150, errors, 0.05, 0.0, 10) == expected


def test_the_same_disagreements_say_less_against_the_model_when_people_err_more():
    bounds = [wrong_upper_bound(5_000, 400, 12, 0.05, rho, 10) for rho in (0.0, 0.01, 0.02, 0.03)]
    assert bounds == sorted(bounds, reverse=True)
    assert len(set(bounds)) == 4


def test_the_bound_covers_the_truth_as_often_as_it_says():
    rng, n, n_sample, n_wrong, rho, m, risk, n_runs = np.random.default_rng(0), 800, 200, 40, 0.1, 5, 0.1, 200
    missed = 0
    for _ in range(n_runs):
        wrong = rng.permutation(n)[:n_sample] < n_wrong
        person_errs, same = rng.random(n_sample) < rho, rng.random(n_sample) < 1 / (m - 1)
        disagree = np.where(wrong, ~(person_errs & same), person_errs)
        missed += wrong_upper_bound(n, n_sample, int(disagree.sum()), risk, rho, m) < n_wrong
    assert stats.binomtest(missed, n_runs, risk, alternative="greater").pvalue > 0.01


def test_whoever_errs_and_wherever_the_shares_add_up():
    """Over every way in which model and person can be right or wrong: wrong <= disagree + person wrong."""
    rng = np.random.default_rng(1)
    truth, model, person = rng.integers(0, 3, (3, 10_000))
    disagreement, audit_error = (model != person).mean(), (person != truth).mean()
    assert (model != truth).mean() <= bound_with_audit_errors(disagreement, audit_error)
    assert bound_with_audit_errors(0.03, 0.01) == pytest.approx(0.04)
    assert bound_with_audit_errors(0.9, 0.2) == 1.0
    model = person = (truth + 1) % 3  # The model repeats each of the people's errors: nothing disagrees.
    assert (model != truth).mean() == bound_with_audit_errors(0.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 11, 0, 0.05, 0.0, 3), "impossible counts"),
        ((10, 5, 0, 0.05, 0.5, 2), "below 0.5, not 0.5"),
        ((10, 5, 0, 0.05, -0.1, 2), "not -0.1"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        wrong_upper_bound(*arguments)
