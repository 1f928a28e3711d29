import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgetal.metrics import (
    accuracy,
    area_under_learning_curve,
    confusion_matrix,
    expected_calibration_error,
    log_loss,
    wilson_interval,
)

pairs_of_classes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(pairs_of_classes)
def test_accuracy_and_confusion_matrix_count_what_a_loop_counts(pairs):
    expected = [[sum(pair == (t, p) for pair in pairs) for p in range(4)] for t in range(4)]
    targets, predictions = zip(*pairs, strict=True)

    counts = confusion_matrix(targets, predictions, 4)

    assert counts.tolist() == expected
    assert accuracy(targets, predictions) == pytest.approx(sum(t == p for t, p in pairs) / len(pairs))


def test_confusion_matrix_of_nothing_is_zero():
    assert confusion_matrix([], [], 3).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("bad", [-1, 3])
def test_confusion_matrix_refuses_a_class_out_of_range(bad):
    with pytest.raises(ValueError, match="0 to 2"):
        confusion_matrix([0, bad], [0, 1], 3)


def test_accuracy_of_nothing_is_refused():
    with pytest.raises(ValueError, match="empty"):
        accuracy([], [])


def test_lists_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        accuracy([1, 2], [1])


def test_log_loss_is_the_mean_negative_log_of_the_true_class():
    probs = [[0.7, 0.2, 0.1], [0.25, 0.5, 0.25]]
    assert log_loss(probs, [0, 2]) == pytest.approx(-(math.log(0.7) + math.log(0.25)) / 2)


def test_log_loss_of_a_certain_error_is_large_and_finite():
    assert 700 < log_loss([[1.0, 0.0]], [1]) < 710


def test_log_loss_refuses_probabilities_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        log_loss([[math.nan, 1.0]], [1])


def test_calibration_error_equals_a_loop_over_bins():
    rng = np.random.default_rng(0)
    probs, targets, n_bins = rng.dirichlet(np.ones(3), 400), rng.integers(0, 3, 400), 10
    confidence, right = probs.max(axis=1), probs.argmax(axis=1) == targets
    expected = 0.0
    for b in range(n_bins):
        inside = (confidence > b / n_bins) & (confidence <= (b + 1) / n_bins)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())

    assert expected_calibration_error(probs, targets, n_bins) == pytest.approx(expected)


def test_calibration_error_is_zero_when_certain_and_right_and_one_when_certain_and_wrong():
    assert expected_calibration_error([[1.0, 0.0]], [0]) == 0
    assert expected_calibration_error([[1.0, 0.0]], [1]) == 1


def test_wilson_interval_has_the_published_values():
    # Newcombe, Statistics in Medicine 1998, table I, method 3.
    for k, n, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]:
        assert wilson_interval(k, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(1, 500), st.floats(0.5, 0.999))
def test_wilson_interval_solves_the_score_equation_and_holds_the_share(k, n, level):
    k = min(k, n)
    low, high = wilson_interval(k, n, level)
    wider = wilson_interval(k, n, level + (1 - level) / 2)

    assert 0 <= low <= k / n <= high <= 1
    assert wider[0] <= low
    assert wider[1] >= high


def test_wilson_interval_of_nothing_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("k", "n", "level"), [(-1, 3, 0.95), (4, 3, 0.95), (1, 3, 1.0)])
def test_wilson_interval_refuses_what_cannot_be(k, n, level):
    with pytest.raises(ValueError, match=r"0 <= k <= n"):
        wilson_interval(k, n, level)


def test_area_is_the_mean_height_of_the_curve():
    assert area_under_learning_curve([0, 10, 30], [0.0, 1.0, 1.0]) == pytest.approx((5 + 20) / 30)
    assert area_under_learning_curve([50], [0.8]) == 0.8


def test_area_refuses_label_counts_that_do_not_increase():
    with pytest.raises(ValueError, match="increase"):
        area_under_learning_curve([10, 10], [0.5, 0.6])
