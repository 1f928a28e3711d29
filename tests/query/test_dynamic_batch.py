from dataclasses import replace
from itertools import combinations

import pytest
import torch

from budgetal.query.kernels.relaxed_batch import DivergenceMatrix, relaxed_batch
from budgetal.testing.pools import make_pool, pick


def some_probs(n=12, classes=3, seed=0):
    return torch.softmax(2 * torch.randn(n, classes, generator=torch.Generator().manual_seed(seed)), dim=1)


def dense(probs, balance):
    """D by its definition."""
    p = probs.double()
    divergence = ((p[:, None] - p[None]) * (p.log()[:, None] - p.log()[None])).sum(dim=2)
    return divergence + balance * torch.diag(-(p * p.log()).sum(dim=1))


def value(matrix, rows):
    return float(matrix[rows][:, rows].sum())


def test_products_with_the_factors_are_those_with_the_matrix():
    probs = some_probs(n=30, classes=5)
    weights = torch.linspace(-1, 2, 30, dtype=torch.float64)
    expected = dense(probs, 3.0) @ weights
    torch.testing.assert_close(DivergenceMatrix.of(probs, 3.0).times(weights), expected, rtol=1e-3, atol=1e-3)


def test_the_relaxed_batch_satisfies_the_conditions_of_a_maximum_at_its_c():
    probs = some_probs(n=40, seed=2)
    matrix = DivergenceMatrix.of(probs, 6.0)
    weights, size_cost = relaxed_batch(matrix, 6)
    assert float(weights.sum()) == pytest.approx(6)
    assert 0 <= weights.min() <= weights.max() <= 1
    slope = 2 * matrix.times(weights) - size_cost
    assert (slope[weights == 1] > -1e-6).all()
    assert (slope[weights == 0] < 1e-6).all()
    assert (slope[(weights > 0) & (weights < 1)].abs() < 1e-2).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_rounded_batch_is_nearly_the_best_of_all(seed):
    probs = some_probs(seed=seed)
    matrix = dense(probs, 4.0)
    rows = relaxed_batch(DivergenceMatrix.of(probs, 4.0), 4)[0].topk(4).indices.tolist()
    values = torch.tensor([value(matrix, list(batch)) for batch in combinations(range(12), 4)])
    assert value(matrix, rows) > 0.98 * values.max()
    assert value(matrix, rows) > 1.3 * values.mean()


def test_by_hand_the_batch_has_one_image_of_each_prediction():
    # Three predictions of equal entropy, five images each: a pair of different ones diverges by
    # .5 log 6 + .3 log 2 + .2 log 3 = 1.32, a pair of the same by nothing.
    predictions = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.6, 0.3], [0.3, 0.1, 0.6]])
    pool = replace(make_pool(n=15, n_classes=3), probs=predictions.repeat_interleave(5, dim=0))
    picked = pick("dynamic_batch", pool, 3).rows // 5
    assert sorted(picked.tolist()) == [0, 1, 2]


def test_c_and_lambda_are_told():
    weights = pick("dynamic_batch", make_pool(), 10).weights
    assert weights["lambda"] == 10
    assert weights["c"] > 0


def test_only_the_most_uncertain_are_candidates():
    # 20 images are sure of different classes: the most divergent, but not among the 5 · 2 of highest entropy.
    sure, doubtful = torch.eye(4)[torch.arange(20) % 4], torch.softmax(some_probs(n=10, classes=4), dim=1)
    pool = replace(make_pool(n=30), probs=torch.cat([sure, doubtful]))
    assert (pick("dynamic_batch", pool, 2).rows >= 20).all()
