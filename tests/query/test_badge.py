from dataclasses import replace

import numpy as np
import pytest
import torch

from budgetal.query.strategies.badge import _residuals
from budgetal.testing.pools import make_pool, pick


def gradients(pool):
    """d(-log p_ŷ) / dW of the last layer, by automatic differentiation of logits W f + log p at W = 0."""
    n, classes = pool.probs.shape
    weights = torch.zeros(n, classes, pool.embeddings.shape[1], dtype=torch.float64, requires_grad=True)
    logits = torch.einsum("ncd,nd->nc", weights, pool.embeddings.double()) + pool.probs.double().log()
    loss = torch.nn.functional.cross_entropy(logits, pool.probs.argmax(dim=1), reduction="sum")
    return torch.autograd.grad(loss, weights)[0].flatten(1)


def test_scores_are_squared_distances_between_gradients_of_the_last_layer():
    pool = make_pool()
    selection = pick("badge", pool, 25)
    vectors, rows = gradients(pool), selection.rows
    expected = [torch.cdist(vectors[rows[i : i + 1]], vectors[rows[:i]]).min().square() for i in range(1, 25)]
    torch.testing.assert_close(selection.scores[1:].double(), torch.stack(expected), rtol=1e-5, atol=1e-9)
    assert rows[0] == vectors.norm(dim=1).argmax()


def test_residuals_by_hand():
    probs = torch.tensor([[0.2, 0.7, 0.1], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    expected = torch.tensor([[0.2, -0.3, 0.1], [-0.5, 0.5, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(_residuals(probs), expected)


@pytest.mark.parametrize("seed", range(5))
def test_images_that_are_certain_come_last(seed):
    pool = make_pool()
    certain = pool.probs.clone()
    certain[20:] = torch.eye(4)[torch.arange(40) % 4]
    rows = pick("badge", replace(pool, probs=certain), 22, seed=seed).rows
    # All certain images have the gradient 0: one of them may be far from the others, a second is not.
    assert int((rows[:21] >= 20).sum()) == 1


def test_seeds_differ():
    picks = {tuple(pick("badge", make_pool(), 10, seed=seed).rows.tolist()) for seed in range(5)}
    assert len(picks) == 5
    assert np.unique([rows[0] for rows in picks]).size == 1
