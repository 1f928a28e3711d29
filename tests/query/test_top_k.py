import numpy as np
import pytest
import torch

from budgetal.query.kernels import top_k
from budgetal.query.kernels.top_k import highest


def slow_top_k(scores, k, ranks):
    return sorted(range(len(scores)), key=lambda row: (-scores[row].item(), ranks[row]))[:k]


@pytest.mark.parametrize("n_values", [1, 3, 10_000])
@pytest.mark.parametrize("k", [0, 1, 7, 199, 200, 300])
def test_top_k_is_the_head_of_the_full_sort(n_values, k):
    rng = np.random.default_rng(k)
    scores = torch.from_numpy(rng.integers(0, n_values, 200).astype(np.float32))
    ranks = rng.permutation(900)[:200]
    assert top_k(scores, k).tolist() == slow_top_k(scores, k, range(200))
    assert top_k(scores, k, torch.from_numpy(ranks)).tolist() == slow_top_k(scores, k, ranks)


def test_top_k_breaks_ties_by_id_rank_and_without_it_by_row():
    scores = torch.tensor([1.0, 2.0, 2.0, 2.0, 0.0])
    assert top_k(scores, 3).tolist() == [1, 2, 3]
    assert top_k(scores, 3, torch.tensor([0, 9, 3, 5, 1])).tolist() == [2, 3, 1]


def test_highest_orders_infinite_values_too():
    values = torch.tensor([-torch.inf, 1.0, torch.inf, torch.inf, -1.0])
    assert highest(values, 5).tolist() == [2, 3, 1, 4, 0]


def test_top_k_refuses_a_score_that_is_no_number_and_fewer_than_none():
    with pytest.raises(ValueError, match="scores must be finite"):
        top_k(torch.tensor([1.0, torch.nan]), 1)
    with pytest.raises(ValueError, match="k must be at least 0"):
        top_k(torch.tensor([1.0]), -1)
