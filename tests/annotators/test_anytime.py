"""The certificate that may be looked at after every answer."""

import numpy as np
import pytest
from scipy import stats

from budgetal.annotators.anytime import anytime_certificate
from budgetal.annotators.bounds import betting_upper_bound
from budgetal.annotators.certificate import certify

SCORES = np.linspace(0, 1, 3_000, dtype=np.float32)


def _draw(n, seed, scores=SCORES):
    return np.random.default_rng(seed).choice(len(scores), n, replace=False)


def test_a_good_model_is_certified_before_its_audit_is_over():
    audit = _draw(300, 0)
    found = [anytime_certificate(SCORES, audit[:n], np.zeros(n, bool), 0.05, 0.05, 300) for n in range(0, 301, 20)]
    first = next(i for i, certificate in enumerate(found) if certificate is not None)
    assert 2 < first < 10
    assert all(certificate is not None for certificate in found[first:])
    coverages = [certificate.n_auto + certificate.n_audit for certificate in found[first:]]
    assert coverages == sorted(coverages)
    last = found[-1]
    assert (last.errors, last.n_audit + last.n_auto) == (0, int((last.threshold <= SCORES).sum()))
    above = audit[SCORES[audit] >= last.threshold]
    worst = betting_upper_bound(last.n_auto + last.n_audit, np.zeros(len(above), bool), 0.05)
    assert last.bound_at_threshold == worst / last.n_auto < last.upper_bound == 0.05


def test_an_unplanned_answer_is_refused():
    with pytest.raises(ValueError, match="11 audit answers are more than the 10"):
        anytime_certificate(SCORES, _draw(11, 0), np.zeros(11, bool), 0.05, 0.05, 10)


def test_nothing_is_certified_of_a_pool_that_is_audited_whole():
    scores = SCORES[:100]
    assert anytime_certificate(scores, _draw(100, 1, scores), np.zeros(100, bool), 0.05, 0.05, 100, [0.0]) is None


def test_errors_that_break_the_tolerance_are_never_certified_however_good_the_bets_were():
    """Two answers a hundred times over would refute, but the pool is known to hold more wrong than allowed."""
    scores, wrong = SCORES[:1_000], np.array([False] * 200 + [True] * 60)
    assert anytime_certificate(scores, np.arange(200), wrong[:200], 0.05, 0.05, 260, [0.0]) is not None
    assert anytime_certificate(scores, np.arange(260), wrong, 0.05, 0.05, 260, [0.0]) is None


def test_stopping_at_the_first_certificate_breaks_the_promise_no_more_often_than_it_says():
    """Asked after each tenth answer; the certificate for one look, asked as often, breaks it far more often."""
    rng, n, risk, n_runs = np.random.default_rng(5), 3_000, 0.1, 120
    scores = np.linspace(0.5, 1, n, dtype=np.float32)
    wrong = np.arange(n) < 0.101 * n
    broken = np.zeros(2, int)
    for _ in range(n_runs):
        audit = rng.permutation(n)[:150]
        looks = [(audit[:k], wrong[audit[:k]], 0.1, risk) for k in range(20, 151, 10)]
        # With 10.1 % wrong, whatever is promised of all images at 10 % is promised wrongly.
        broken[0] += any(anytime_certificate(scores, *look, 150, [0.5]) for look in looks)
        broken[1] += any(certify(scores, *look, [0.5]) for look in looks)
    assert stats.binomtest(int(broken[0]), n_runs, risk, alternative="greater").pvalue > 0.01
    assert stats.binomtest(int(broken[1]), n_runs, risk, alternative="greater").pvalue < 0.01
