import math

import pytest
import torch

from budgetal.measures.high_confidence import decayed, high_confidence

PROBS = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.99, 0.01, 0.0], [0.0, 0.9, 0.1]])
# Entropies in nats: log 2, 0, 0.056, 0.325.


def test_rows_of_entropy_below_the_threshold_in_nats():
    nats = -(0.99 * math.log(0.99) + 0.01 * math.log(0.01))
    assert high_confidence(PROBS, nats + 1e-4).tolist() == [1, 2]
    assert high_confidence(PROBS, nats - 1e-4).tolist() == [1]
    assert high_confidence(PROBS, math.log(3)).tolist() == [0, 1, 2, 3]


def test_a_threshold_of_nothing_takes_not_even_the_certain():
    assert high_confidence(PROBS, 0.0).tolist() == []
    assert high_confidence(PROBS[:0], 1.0).tolist() == []


def test_the_threshold_decays_round_by_round_and_stops_at_nothing():
    straight = [decayed(0.05, 0.02, round) for round in range(4)]
    assert straight == pytest.approx([0.05, 0.03, 0.01, 0.0])


def test_fed_back_it_decays_as_the_algorithm_of_the_source():
    threshold = 0.05
    for round in range(5):
        threshold = decayed(threshold, 0.0033, round)
    assert threshold == pytest.approx(0.05 - 0.0033 * (1 + 2 + 3 + 4))


@pytest.mark.parametrize("arguments", [(-0.1, 0.1, 1), (0.1, -0.1, 1), (0.1, 0.1, -1), (math.nan, 0.1, 1)])
def test_a_negative_or_missing_number_is_refused(arguments):
    with pytest.raises(ValueError, match="at least 0"):
        decayed(*arguments)


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="threshold must be finite"):
        high_confidence(PROBS, math.inf)
