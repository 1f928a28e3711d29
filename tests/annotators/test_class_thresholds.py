"""A threshold of its own for each class: who passes, what is handed on, and the promise by counting and by drawing."""

from dataclasses import dataclass
from itertools import product, takewhile

import numpy as np
import pytest
from scipy import stats

from budgetal.annotators.budget_annotator import NOTHING, Audit, auto_label
from budgetal.annotators.certificate import Certificate
from budgetal.annotators.class_thresholds import certify_each_class, share_out, together
from budgetal.annotators.per_class import AuditedPool
from budgetal.annotators.proposals import Proposals


def _pool(rng, n=4_000, shares=(0.5, 0.45, 0.05)):
    predicted = rng.choice(len(shares), n, p=shares)
    return rng.beta(6, 1, n).astype(np.float32), predicted


def _false(part, scores, predicted, wrong, audit):
    """Whether the automatic labels of this class err more often than is promised."""
    if part.certificate is None:
        return False
    automatic = (predicted == part.target) & (scores >= part.certificate.threshold)
    automatic[audit] = False
    return bool(wrong[automatic].mean() > part.certificate.upper_bound)


def test_each_class_is_labelled_from_its_own_threshold_on():
    rng = np.random.default_rng(0)
    scores, predicted = _pool(rng, shares=(0.5, 0.5))
    # The second class errs at low scores.
    wrong = (predicted == 1) & (scores < 0.8)
    audit = np.sort(rng.choice(4_000, 800, replace=False))
    answers = Audit(audit, np.where(wrong, 0, predicted)[audit])
    labels = auto_label(Proposals(predicted, scores), np.arange(4_000), answers, 0.05, 0.05, n_classes=2)
    first, second = labels.certificate.class_thresholds
    assert first == scores[predicted == 0].min()
    assert 0.6 < second < 0.85
    chosen = np.setdiff1d(np.flatnonzero(scores >= np.where(predicted == 0, first, second)), audit)
    assert labels.rows.tolist() == chosen.tolist()
    assert labels.targets.tolist() == predicted[chosen].tolist()
    assert labels.certificate.n_auto == len(chosen)
    assert labels.certificate.threshold == min(first, second)


def test_no_class_without_enough_audit_images_is_labelled():
    rng = np.random.default_rng(1)
    scores, predicted = _pool(rng)
    audit = np.sort(rng.choice(4_000, 400, replace=False))
    labels = auto_label(
        Proposals(predicted, scores), np.arange(4_000), Audit(audit, predicted[audit]), 0.05, 0.05, n_classes=3
    )
    assert labels.certificate.class_thresholds[2] is None
    assert set(labels.targets) == {0, 1}


def test_a_class_that_passed_all_its_thresholds_hands_its_share_on():
    rng = np.random.default_rng(2)
    scores, predicted = _pool(rng, shares=(0.4, 0.3, 0.3))
    audit = np.sort(rng.choice(4_000, 1_200, replace=False))
    wrong = (predicted[audit] > 0) & (rng.random(1_200) > scores[audit] ** 0.3)
    found = certify_each_class(AuditedPool(scores, predicted, audit, wrong), 0.05, 0.06, 3)
    assert [part.risk for part in found] == pytest.approx([0.02, 0.03, 0.03])
    assert [part.certificate.upper_bound for part in found] == [0.05] * 3
    assert found[0].certificate.threshold == scores[predicted == 0].min()


def test_where_every_class_passed_everything_smaller_bounds_are_promised_at_an_even_share():
    rng = np.random.default_rng(3)
    scores, predicted = _pool(rng, shares=(0.5, 0.5))
    audit = np.sort(rng.choice(4_000, 800, replace=False))
    found = certify_each_class(AuditedPool(scores, predicted, audit, np.zeros(800, bool)), 0.05, 0.05, 2)
    for part in found:
        assert part.risk == 0.025
        n, n_audit = part.n_open, part.n_audit
        worst = max(m for m in range(200) if stats.hypergeom.cdf(0, n, m, n_audit) > 0.025)
        assert part.certificate.upper_bound == pytest.approx(worst / (n - n_audit))


def test_all_labels_together_have_the_mean_of_the_classes_bounds():
    rng = np.random.default_rng(4)
    scores, predicted = _pool(rng, shares=(0.7, 0.3))
    audit = np.sort(rng.choice(4_000, 800, replace=False))
    found = certify_each_class(AuditedPool(scores, predicted, audit, np.zeros(800, bool)), 0.05, 0.05, 2)
    a, b = (part.certificate for part in found)
    both = together(found, 0.05, 0.05)
    assert both.upper_bound == pytest.approx((a.upper_bound * a.n_auto + b.upper_bound * b.n_auto) / both.n_auto)
    assert (both.n_auto, both.n_audit, both.errors) == (a.n_auto + b.n_auto, a.n_audit + b.n_audit, 0)
    assert both.class_thresholds == (a.threshold, b.threshold)


@pytest.mark.parametrize("n_audit", [0, 1, 40])
def test_an_audit_of_next_to_nothing_labels_nothing(n_audit):
    scores = np.linspace(0, 1, 50, dtype=np.float32)
    proposals, audit = Proposals(np.zeros(50, np.int64), scores), np.arange(n_audit)
    answers = Audit(audit, np.zeros(n_audit, np.int64))
    assert auto_label(proposals, np.arange(50), answers, 0.05, 0.05, n_classes=3) == NOTHING
    assert together((), 0.05, 0.05) is None


@dataclass(frozen=True)
class _Tested:
    """A class whose thresholds have these p-values: whoever shares the risk sees nothing else of it."""

    target: int
    p_values: tuple[float, ...]

    def certify(self, thresholds, tolerance, risk):
        passed = list(takewhile(lambda step: self.p_values[step] <= risk, range(len(thresholds))))
        return Certificate(tolerance, risk, tolerance, thresholds[passed[-1]], 1, 0, 1, 0.01) if passed else None


def _chance_of_a_false_threshold(first_false, risk, levels=12):
    """Over all p-values k / 12 of each class's first false threshold; the true ones before it always pass."""
    classes = [target for target, at in enumerate(first_false) if at < 2]
    broken = 0
    for drawn in product(range(1, levels + 1), repeat=len(classes)):
        p_values = dict(zip(classes, drawn, strict=True))
        parts = [
            _Tested(target, tuple(0.0 if step < at else p_values[target] / levels for step in (0, 1)))
            for target, at in enumerate(first_false)
        ]
        found = share_out(parts, dict.fromkeys(range(3), (0.9, 0.8)), 0.05, risk)
        lowest = [found[target][1].threshold if found[target][1] else 1.0 for target in range(3)]
        broken += any(lowest[target] <= (0.9, 0.8)[first_false[target]] for target in classes)
    return broken / levels ** len(classes)


def test_over_all_p_values_a_false_threshold_passes_no_more_often_than_the_risk():
    """Whichever thresholds are false (2: none of the class): clean classes hand on, and the rest is still exact."""
    chances = {at: _chance_of_a_false_threshold(at, 0.5) for at in product((0, 1, 2), repeat=3)}
    assert max(chances.values()) <= 0.5
    # The share of one class, of two that have a clean class's, and of one that has both others'.
    assert chances[0, 0, 0] == pytest.approx(1 - (10 / 12) ** 3)
    assert chances[0, 1, 2] == pytest.approx(1 - (9 / 12) ** 2)
    assert chances[2, 0, 2] == pytest.approx(0.5)
    assert chances[2, 2, 2] == 0


@pytest.mark.parametrize("n_draws", [300, pytest.param(5_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("share", [0.21, 0.06])
def test_many_draws_break_the_promise_no_more_often_than_they_may(share, n_draws):
    """At every threshold two classes err a little too often (21 %), so what is certified of them is false; or (6 %)
    all may be certified, and it is the smaller bounds that might be.
    """
    rng, n, n_audit, tolerance, risk = np.random.default_rng(5), 6_000, 240, 0.2, 0.2
    predicted = rng.choice(3, n, p=(0.4, 0.3, 0.3))
    scores = rng.random(n).astype(np.float32)
    wrong = np.zeros(n, dtype=bool)
    for target in (1, 2):
        members = np.flatnonzero(predicted == target)
        places = np.floor(np.arange(0, len(members), 1 / share)).astype(int)
        wrong[members[np.argsort(-scores[members])][places]] = True
    broken = 0
    for _ in range(n_draws):
        audit = np.sort(rng.choice(n, n_audit, replace=False))
        found = certify_each_class(
            AuditedPool(scores, predicted, audit, wrong[audit]), tolerance, risk, 3, n_thresholds=6
        )
        broken += any(_false(part, scores, predicted, wrong, audit) for part in found)
    assert stats.binomtest(broken, n_draws, risk, alternative="greater").pvalue > 0.01
    # A test that no false promise can reach would say nothing.
    assert broken > 0.02 * n_draws
