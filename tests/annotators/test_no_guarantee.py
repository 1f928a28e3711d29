"""The labellers of the literature: what they label, and that nothing is promised of it."""

from typing import get_args

import numpy as np
import pytest
from made_views import made_view

from budgetal.annotators.budget_annotator import Audit
from budgetal.annotators.confidence.pseudo_annotators import N_ANNOTATORS
from budgetal.annotators.no_guarantee import LABELLERS, label_without_guarantee
from budgetal.annotators.proposals import NEVER, Proposals
from budgetal.config import AutoLabeller, make_config

VIEW, TRUTH = made_view()


def labelled(name, round=0, **settings):
    config = make_config(images="x", classes=("a", "b", "c"), budget=1, auto_labeller=name, **settings)
    return LABELLERS[name](VIEW, config, round, np.random.default_rng(0))


def test_every_labeller_of_the_setting_but_three_is_without_a_guarantee():
    assert set(get_args(AutoLabeller)) == {"certified", "whole", "none", *LABELLERS}


def test_ceal_labels_below_a_threshold_that_falls():
    nats = -(VIEW.probs * np.log(VIEW.probs)).sum(axis=1)
    for round in (0, 3):
        found = labelled("ceal", round, ceal_threshold=0.4, ceal_decay=0.1)
        np.testing.assert_array_equal(found.possible, nats < 0.4 - 0.1 * round)
    np.testing.assert_array_equal(found.targets, VIEW.probs.argmax(axis=1))
    assert not labelled("ceal", 5, ceal_threshold=0.4, ceal_decay=0.1).possible.any()


def test_propagation_labels_from_its_certainty_and_0_labels_all_that_labels_reach():
    everything = labelled("propagation", propagation_certainty=0.0)
    assert everything.possible.all()
    assert (everything.targets == TRUTH).mean() > 0.8
    sure = labelled("propagation", propagation_certainty=0.6)
    np.testing.assert_array_equal(sure.possible, everything.scores >= np.float32(0.6))
    assert 0 < sure.possible.sum() < len(TRUTH)


def test_pseudo_annotators_label_where_enough_of_them_agree():
    unanimous, most = (labelled("pseudo_annotators", annotators_agreement=share) for share in (1.0, 0.8))
    votes = np.floor(most.scores[most.possible] * (N_ANNOTATORS + 1) + 1e-4)
    assert votes.min() == 8
    assert 0 < unanimous.possible.sum() < most.possible.sum()
    assert not (unanimous.possible & ~most.possible).any()
    wrong = unanimous.targets != TRUTH
    assert wrong[unanimous.possible].mean() < wrong.mean()


def test_the_audit_keeps_its_labels_and_no_answer_of_it_counts():
    proposals = Proposals(np.array([0, 1, 2, 0, 1]), np.array([0.9, NEVER, 0.4, 0.8, 0.7], np.float32))
    open_rows, rows = np.array([0, 1, 2, 4]), np.array([2])
    found = [label_without_guarantee(proposals, open_rows, Audit(rows, np.array([target]))) for target in (2, 0, -1)]
    for labels in found:
        assert labels.rows.tolist() == [0, 4]
        assert labels.targets.tolist() == [0, 1]
        assert labels.certificate is None


@pytest.mark.parametrize(
    ("setting", "value"), [("ceal_threshold", -1), ("propagation_certainty", 1.5), ("annotators_agreement", 0)]
)
def test_impossible_settings_are_refused(setting, value):
    with pytest.raises(Exception, match=setting):
        make_config(images="x", classes=("a", "b"), budget=1, **{setting: value})
