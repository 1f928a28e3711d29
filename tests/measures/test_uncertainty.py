import math

import numpy as np
import pytest
import torch

from budgetal.measures import bald, chunks, entropy, expected_decision_cost, least_confidence, margin
from budgetal.measures.checks import probabilities, unit_vectors

CERTAIN, UNSURE, SPLIT = [1.0, 0.0, 0.0, 0.0], [0.25] * 4, [0.5, 0.4, 0.1, 0.0]
PROBS = torch.tensor([CERTAIN, UNSURE, SPLIT])


def test_least_confidence_by_hand():
    torch.testing.assert_close(least_confidence(PROBS), torch.tensor([0.0, 0.75, 0.5]))


def test_margin_by_hand():
    torch.testing.assert_close(margin(PROBS), torch.tensor([0.0, 1.0, 0.9]))


def test_entropy_by_hand_with_zero_log_zero_as_zero():
    split = -(0.5 * math.log(0.5) + 0.4 * math.log(0.4) + 0.1 * math.log(0.1)) / math.log(4)
    torch.testing.assert_close(entropy(PROBS), torch.tensor([0.0, 1.0, split]))


def test_bald_is_the_disagreement_of_passes_not_their_doubt():
    agree_in_doubt = [[0.5, 0.5], [0.5, 0.5]]
    disagree = [[1.0, 0.0], [0.0, 1.0]]
    passes = torch.tensor([agree_in_doubt, disagree]).transpose(0, 1).contiguous()
    torch.testing.assert_close(bald(passes), torch.tensor([0.0, math.log(2)]))


def test_expected_decision_cost_by_hand():
    cost = torch.tensor([[0.0, 10.0], [1.0, 0.0]])
    probs = torch.tensor([[0.05, 0.95], [0.2, 0.8], [0.0, 1.0]])
    # Deciding 1 costs 10 p_0, deciding 0 costs p_1: 0.5 against 0.95, then 2 against 0.8.
    torch.testing.assert_close(expected_decision_cost(probs, cost), torch.tensor([0.5, 0.8, 0.0]))


def test_with_cost_one_for_every_error_decision_cost_is_least_confidence():
    cost = 1 - torch.eye(4)
    torch.testing.assert_close(expected_decision_cost(PROBS, cost), least_confidence(PROBS))


@pytest.mark.parametrize("measure", [least_confidence, margin, entropy])
def test_half_precision_gives_nearly_the_same_in_float32(measure):
    probs = torch.softmax(torch.linspace(-3, 3, 60).reshape(6, 10), dim=1)
    half = measure(probs.half())
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, measure(probs), atol=2e-3, rtol=0)


@pytest.mark.parametrize("measure", [least_confidence, margin, entropy])
@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([float("nan"), 0.5, 0.5, 0.0], "finite"),
        ([float("inf"), 0.0, 0.0, 0.0], "finite"),
        ([1.2, -0.2, 0.0, 0.0], r"\[0, 1\]"),
        ([0.5, 0.1, 0.1, 0.1], "sum to 1"),
    ],
)
def test_what_is_no_probability_is_refused(measure, row, words):
    with pytest.raises(ValueError, match=words):
        measure(torch.tensor([UNSURE, row]))


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="two classes"):
        margin(torch.ones(3, 1))


def test_infinite_cost_is_refused():
    with pytest.raises(ValueError, match="cost must be finite"):
        expected_decision_cost(PROBS, torch.full((4, 4), torch.inf))


def test_shapes_are_checked_in_tests():
    with pytest.raises(Exception, match="probs"):
        margin(torch.ones(3))


def random_probs(n, classes, seed=0):
    logits = torch.from_numpy(np.random.default_rng(seed).standard_normal((n, classes)).astype(np.float32))
    return torch.softmax(3 * logits, dim=1)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(chunks, "CACHED_CELLS", 50)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_blocks_of_rows_give_what_the_whole_does(small_blocks, classes):
    probs = random_probs(101, classes)
    best = probs.double().sort(dim=1, descending=True).values
    torch.testing.assert_close(margin(probs).double(), 1 - (best[:, 0] - best[:, 1]), atol=1e-6, rtol=0)
    nats = -(probs.double() * probs.double().log()).sum(dim=1)
    torch.testing.assert_close(entropy(probs).double(), nats / math.log(classes), atol=1e-6, rtol=0)


def test_two_equal_best_classes_have_no_margin():
    assert margin(torch.tensor([[0.4, 0.2, 0.4], [0.0, 0.5, 0.5]])).tolist() == [1, 1]


def test_entropy_of_the_least_numbers_is_finite_and_of_certainty_exactly_zero():
    assert entropy(torch.eye(3)).tolist() == [0, 0, 0]
    assert float(entropy(torch.tensor([[1.0, 1e-45, 0.0]]))) < 1e-30


@pytest.mark.parametrize("row", [0, 57, 100])
@pytest.mark.parametrize(
    ("value", "words"), [(float("nan"), "finite"), (float("inf"), "finite"), (-0.5, r"\[0, 1\]"), (0.9, "sum to 1")]
)
def test_what_is_no_probability_is_found_in_any_block(small_blocks, row, value, words):
    probs = torch.full((101, 4), 0.25)
    probs[row, 2] = value
    for measure in (least_confidence, margin, entropy):
        with pytest.raises(ValueError, match=words):
            measure(probs)


@pytest.mark.parametrize(
    ("value", "words"), [(float("nan"), "finite"), (float("-inf"), "finite"), (1.5, "L2-normalised")]
)
def test_what_is_no_unit_vector_is_found_in_any_block(small_blocks, value, words):
    vectors = torch.full((101, 4), 0.5)
    vectors[77, 1] = value
    with pytest.raises(ValueError, match=words):
        unit_vectors(vectors)


def test_checks_of_no_rows_pass():
    assert probabilities(torch.zeros(0, 3)).shape == (0, 3)
    assert unit_vectors(torch.zeros(0, 3)).shape == (0, 3)


def test_checks_do_not_copy():
    probs, vectors = random_probs(5, 3), torch.eye(3)
    assert probabilities(probs).data_ptr() == probs.data_ptr()
    assert unit_vectors(vectors).data_ptr() == vectors.data_ptr()


def test_a_double_beyond_single_precision_is_not_finite():
    with pytest.raises(ValueError, match=r"cost must be finite, but holds 1e\+300 at \(1, 0\)"):
        expected_decision_cost(PROBS[:, :2] * 0 + 0.5, torch.tensor([[0.0, 1.0], [1e300, 0.0]], dtype=torch.float64))
