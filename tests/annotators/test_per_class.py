"""Certificates by predicted class: who takes part, what passes, and the promise by simulation."""

import numpy as np
import pytest
from scipy import stats

from budgetal.annotators.certificate import candidate_thresholds
from budgetal.annotators.per_class import AuditedPool, certify_per_class


def _pool(rng, n=4_000, shares=(0.5, 0.45, 0.05)):
    predicted = rng.choice(len(shares), n, p=shares)
    return rng.beta(6, 1, n).astype(np.float32), predicted


def test_a_class_of_few_audit_images_is_not_certified_and_takes_no_share():
    rng = np.random.default_rng(0)
    scores, predicted = _pool(rng)
    audit = rng.choice(4_000, 400, replace=False)
    found = certify_per_class(AuditedPool(scores, predicted, audit, np.zeros(400, bool)), 0.05, 0.05, 3)
    assert [part.target for part in found] == [0, 1, 2]
    assert [part.n_open for part in found] == np.bincount(predicted).tolist()
    assert [part.n_audit for part in found] == np.bincount(predicted[audit]).tolist()
    assert [part.risk for part in found] == [0.025, 0.025, 0]
    assert [part.certificate is None for part in found] == [False, False, True]
    assert found[0].certificate.n_auto == found[0].n_open - found[0].n_audit
    assert found[0].certificate.upper_bound < 0.05


def test_the_errors_of_one_class_cost_no_other_its_certificate():
    rng = np.random.default_rng(1)
    scores, predicted = _pool(rng, shares=(0.5, 0.5))
    audit = rng.choice(4_000, 400, replace=False)
    bad = certify_per_class(AuditedPool(scores, predicted, audit, predicted[audit] == 1), 0.05, 0.05, 2)
    good = certify_per_class(AuditedPool(scores, predicted, audit, np.zeros(400, bool)), 0.05, 0.05, 2)
    assert bad[0] == good[0]
    assert bad[1].certificate is None


def test_each_class_has_the_bounds_of_its_own_images():
    rng = np.random.default_rng(2)
    scores, predicted = _pool(rng, shares=(0.6, 0.4))
    audit = rng.choice(4_000, 600, replace=False)
    wrong = rng.random(600) > scores[audit] ** 0.05
    for part in certify_per_class(AuditedPool(scores, predicted, audit, wrong), 0.05, 0.1, 2):
        chosen = (predicted[audit] == part.target) & (scores[audit] >= part.certificate.threshold)
        assert part.certificate.n_audit == chosen.sum()
        assert part.certificate.errors == (chosen & wrong).sum()
        assert part.certificate.tolerance == 0.05


def test_the_thresholds_are_those_of_all_images_so_that_the_labels_in_force_are_covered():
    rng = np.random.default_rng(3)
    scores, predicted = _pool(rng, shares=(0.5, 0.5))
    audit = rng.choice(4_000, 500, replace=False)
    part = certify_per_class(AuditedPool(scores, predicted, audit, np.zeros(500, bool)), 0.05, 0.05, 2)[0]
    tested = [t for t in candidate_thresholds(scores, 500, 0.05, 0.05) if t <= part.first_threshold]
    assert part.certificate.threshold in tested
    assert part.covers(part.first_threshold)
    assert part.covers(part.certificate.threshold)
    assert not part.covers(np.nextafter(part.first_threshold, 2))


@pytest.mark.parametrize("n_audit", [0, 1, 40])
def test_an_audit_of_next_to_nothing_certifies_no_class(n_audit):
    scores = np.linspace(0, 1, 50, dtype=np.float32)
    found = certify_per_class(
        AuditedPool(scores, np.zeros(50, np.int64), np.arange(n_audit), np.zeros(n_audit, bool)), 0.05, 0.05, 3
    )
    assert [(part.risk, part.certificate, part.covers(0.5)) for part in found] == [(0, None, False)] * 3


def test_all_classes_together_break_their_promises_no_more_often_than_they_say():
    rng, n, tolerance, risk, n_runs = np.random.default_rng(4), 1_000, 0.1, 0.1, 60
    broken = 0
    for _ in range(n_runs):
        predicted = rng.choice(3, n, p=(0.5, 0.3, 0.2))
        scores = rng.beta(6, 1, n).astype(np.float32)
        wrong = rng.random(n) < np.array([0.11, 0.12, 0.02])[predicted]
        audit = rng.choice(n, 300, replace=False)
        found = certify_per_class(AuditedPool(scores, predicted, audit, wrong[audit]), tolerance, risk, 3)
        broken += any(_is_broken(part, scores, predicted, wrong, audit) for part in found)
    assert stats.binomtest(broken, n_runs, risk, alternative="greater").pvalue > 0.01


def _is_broken(part, scores, predicted, wrong, audit):
    if part.certificate is None:
        return False
    automatic = (predicted == part.target) & (scores >= part.certificate.threshold)
    automatic[audit] = False
    return wrong[automatic].mean() > part.certificate.upper_bound
