"""The bounds by brute force, and the promise by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from budgetal.annotators.certificate import (
    audit_labels_needed,
    candidate_thresholds,
    certify,
    clopper_pearson_upper_bound,
    hypergeometric_upper_bound,
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


def test_no_threshold_is_tried_that_no_audit_could_certify():
    scores = np.random.default_rng(0).random(1_000).astype(np.float32)
    assert candidate_thresholds(scores, 50, 0.05, 0.05) == []
    assert certify(scores, np.arange(50), np.zeros(50, bool), 0.05, 0.05) is None


def test_thresholds_do_not_depend_on_the_order_of_images():
    rng = np.random.default_rng(1)
    scores = rng.random(2_000).astype(np.float32)
    thresholds = candidate_thresholds(scores, 300, 0.05, 0.05)
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds == candidate_thresholds(rng.permutation(scores), 300, 0.05, 0.05)


def test_a_perfect_model_is_certified_to_the_last_image_below_the_tolerance():
    scores = np.linspace(0.5, 1, 2_000, dtype=np.float32)
    audit = np.random.default_rng(2).choice(2_000, 200, replace=False)
    certificate = certify(scores, audit, np.zeros(200, bool), 0.05, 0.05)
    assert certificate is not None
    assert certificate.n_auto == 1_800
    assert certificate.upper_bound == remaining_error_bound(2_000, 200, 0, 0.05) < 0.02


def test_a_sequence_that_stopped_early_promises_the_tolerance_only():
    scores = np.linspace(0, 1, 4_000, dtype=np.float32)
    audit = np.arange(0, 4_000, 10)
    wrong = scores[audit] < 0.4
    certificate = certify(scores, audit, wrong, 0.05, 0.05)
    assert certificate is not None
    assert certificate.upper_bound == 0.05 >= certificate.bound_at_threshold
    assert 0.3 < certificate.threshold < 0.45


@pytest.mark.parametrize("shape", ["calibrated", "overconfident", "useless"])
def test_the_promise_holds_as_often_as_it_says(shape):
    """The share of false certificates stays within the binomial error of the risk."""
    rng = np.random.default_rng(3)
    n, n_audit, tolerance, risk, n_runs = 1_500, 150, 0.05, 0.1, 300
    broken = 0
    for _ in range(n_runs):
        scores = rng.beta(6, 1, n).astype(np.float32)
        right = {"calibrated": scores, "overconfident": scores**0.5 * 0.97, "useless": np.full(n, 0.94)}[shape]
        wrong = rng.random(n) > right
        audit = rng.choice(n, n_audit, replace=False)
        certificate = certify(scores, audit, wrong[audit], tolerance, risk)
        if certificate is None:
            continue
        automatic = np.setdiff1d(np.flatnonzero(scores >= certificate.threshold), audit)
        broken += wrong[automatic].mean() > certificate.upper_bound
    assert stats.binomtest(broken, n_runs, risk, alternative="greater").pvalue > 0.01
