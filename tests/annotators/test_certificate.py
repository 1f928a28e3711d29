"""Fixed-sequence testing: what passes, what is promised, and the promise by simulation."""

import numpy as np
import pytest
from scipy import stats

from budgetal.annotators.bounds import remaining_error_bound
from budgetal.annotators.certificate import candidate_thresholds, certify


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
