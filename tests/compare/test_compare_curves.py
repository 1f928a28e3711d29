"""Curves on common budgets, bands, and the penalty matrix against a t-test of another library."""

import numpy as np
import pytest
from scipy.stats import t, ttest_rel

from budgetal.compare.curves import Curve, area, band, common_budgets
from budgetal.compare.penalty import penalty_matrix, wins


def _curve(*points):
    return Curve(*(np.array(values, dtype=float) for values in zip(*points, strict=True)))


def test_values_between_rounds_lie_on_straight_lines_and_nowhere_beyond():
    curve = _curve((10, 0.5), (20, 0.7))
    assert curve.at(np.array([10.0, 15.0, 20.0])) == pytest.approx([0.5, 0.6, 0.7])
    assert np.isnan(curve.at(np.array([9.0, 21.0]))).all()


def test_labels_to_a_target_are_those_of_the_first_round_that_measured_it():
    curve = _curve((10, 0.5), (20, 0.9), (30, 0.85), (40, 0.95))
    assert [curve.labels_to(target) for target in (0.4, 0.6, 0.9, 0.95, 0.96)] == [10, 20, 20, 40, None]


def test_common_budgets_are_where_all_curves_have_values():
    curves = [_curve((10, 0), (20, 0), (30, 0)), _curve((15, 0), (25, 0), (40, 0))]
    assert common_budgets(curves).tolist() == [15, 20, 25, 30]
    assert common_budgets([_curve((1, 0), (2, 0)), _curve((3, 0), (4, 0))]).tolist() == []


def test_the_area_is_the_mean_height_over_the_common_budgets():
    assert area(_curve((0, 0.0), (10, 1.0), (20, 1.0)), np.array([0.0, 10.0, 20.0])) == pytest.approx(0.75)
    assert area(_curve((0, 0.0), (10, 1.0)), np.array([5.0])) == pytest.approx(0.5)


def test_a_band_is_students_and_one_seed_has_none():
    found = band([0.8, 0.9, 1.0])
    half = t.ppf(0.975, 2) * 0.1 / np.sqrt(3)
    assert (found.mean, found.low, found.high) == pytest.approx((0.9, 0.9 - half, 0.9 + half))
    assert band([0.5]).low is None
    with pytest.raises(ValueError, match="one seed"):
        band([])


def test_wins_are_those_of_a_paired_t_test():
    values = np.random.default_rng(0).normal(size=(4, 5, 30)) * 0.05 + np.arange(4)[:, None, None] * 0.04
    found = wins(values)
    for i in range(4):
        for j in range(4):
            test = ttest_rel(values[i], values[j], axis=0)
            assert found[i, j].tolist() == ((test.statistic > 0) & (test.pvalue < 0.05)).tolist()
    assert found[3, 0].mean() > 0.7
    assert penalty_matrix(values)[3, 0] == found[3, 0].mean()


def test_five_seeds_need_a_t_of_2_776():
    below, above = np.zeros((2, 5, 1)), np.zeros((2, 5, 1))
    spread = np.array([-2, -1, 0, 1, 2]) / np.sqrt(2.5)
    below[0, :, 0], above[0, :, 0] = spread + 2.77 / np.sqrt(5), spread + 2.78 / np.sqrt(5)
    assert not wins(below).any()
    assert wins(above)[0, 1, 0]
    assert not wins(above)[1, 0, 0]


def test_equal_runs_beat_nobody_and_a_constant_lead_always_counts():
    values = np.zeros((3, 4, 2))
    values[2] = 0.01
    assert penalty_matrix(values).tolist() == [[0, 0, 0], [0, 0, 0], [1, 1, 0]]


def test_one_seed_cannot_be_tested():
    with pytest.raises(ValueError, match="two seeds"):
        wins(np.zeros((2, 1, 3)))
