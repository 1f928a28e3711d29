"""Temperatures minimise the held-out loss; probabilities sum to 1."""

import numpy as np
import pytest

from budgetal.models.calibration import fit_temperature, softmax


def drawn_from(logits, rng):
    # The Gumbel-max trick: the largest of logit + Gumbel noise has softmax(logits) as its distribution.
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_factor_by_which_logits_are_too_large_is_found(factor):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 4))
    labels = drawn_from(logits, rng)
    assert fit_temperature(logits * factor, labels) == pytest.approx(factor, rel=0.1)


def test_no_temperature_on_a_grid_does_better():
    rng = np.random.default_rng(1)
    logits, labels, weights = rng.normal(0, 3, (200, 5)), rng.integers(0, 5, 200), rng.random(200)

    def loss(t):
        return -(weights * np.log(softmax(logits, t)[np.arange(200), labels])).sum()

    found = fit_temperature(logits, labels, weights)
    assert loss(found) <= min(loss(t) for t in np.geomspace(0.2, 20, 400)) + 1e-4


def test_weight_zero_is_as_good_as_absent():
    rng = np.random.default_rng(2)
    logits, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    weights = np.repeat([1.0, 0.0], 30)
    assert fit_temperature(logits, labels, weights) == fit_temperature(logits[:30], labels[:30])


@pytest.mark.parametrize("sign", [1, -1])
def test_all_right_or_all_wrong_stays_in_bounds(sign):
    logits = sign * 5 * np.eye(3)[[0, 1, 2]]
    assert 0.05 <= fit_temperature(logits, [0, 1, 2]) <= 20


@pytest.mark.parametrize(
    ("logits", "labels", "weights"),
    [
        (np.zeros((0, 3)), [], None),
        (np.zeros((2, 3)), [0, 1], [0, 0]),
        (np.full((2, 3), np.nan), [0, 1], None),
        (np.zeros((2, 3)), [0], None),
    ],
)
def test_what_cannot_be_calibrated_is_refused(logits, labels, weights):
    with pytest.raises(ValueError, match="Cannot calibrate"):
        fit_temperature(logits, labels, weights)


def test_softmax_of_extreme_logits_is_exact_and_sums_to_one():
    probs = softmax(np.array([[1e4, 0, -1e4], [0, 0, 0]]), 2.0)
    np.testing.assert_allclose(probs, [[1, 0, 0], [1 / 3] * 3], atol=1e-7)
    assert probs.dtype == np.float32


def test_softmax_in_chunks_equals_softmax_of_all():
    logits = np.random.default_rng(0).normal(size=(20_000, 3))
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(softmax(logits), expected, rtol=1e-5)


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match="positive"):
        softmax(np.zeros((1, 2)), 0.0)
