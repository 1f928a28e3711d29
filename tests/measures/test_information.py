import math

import numpy as np
import pytest
import torch

from budgetal.measures import chunks
from budgetal.measures.information import information_regulariser, local_label_information, region_variance


def some_logits(n, classes, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((n, classes)).astype(np.float32))


def some_neighbours(n, k, seed=1):
    rng = np.random.default_rng(seed)
    rows = [rng.permutation([j for j in range(n) if j != i])[:k] for i in range(n)]
    return torch.from_numpy(np.stack(rows))


def slow_information(probs, neighbours):
    """1/|Q| Σ KL(p(y|x) ‖ p(y|Q)), the definition."""
    result = []
    for row, others in enumerate(neighbours.tolist()):
        members = probs[[row, *others]].double().numpy()
        mean = members.mean(axis=0)
        terms = [p * math.log(p / q) for member in members for p, q in zip(member, mean, strict=True) if p > 0]
        result.append(sum(terms) / len(members))
    return torch.tensor(result)


@pytest.mark.parametrize("max_cells", [1, chunks.MAX_CELLS])
def test_information_is_that_of_its_definition(max_cells, monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", max_cells)
    probs, neighbours = torch.softmax(3 * some_logits(30, 4), dim=1), some_neighbours(30, 5)
    torch.testing.assert_close(
        local_label_information(probs, neighbours), slow_information(probs, neighbours).float(), atol=1e-6, rtol=1e-4
    )


def test_information_by_hand():
    probs = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.5, 0.5]])
    neighbours = torch.tensor([[1], [2], [3], [0]])
    # Opposite labels tell one bit; (0, 1) with (.5, .5) has mean (.25, .75), entropy .5623 less .6931 / 2.
    expected = torch.tensor([math.log(2), 0.2158, 0.0, 0.2158])
    torch.testing.assert_close(local_label_information(probs, neighbours), expected, atol=1e-4, rtol=0)


def test_a_row_without_neighbours_has_no_information():
    assert local_label_information(torch.tensor([[0.3, 0.7]]), torch.zeros(1, 0, dtype=torch.int64)).tolist() == [0]


def test_variance_is_that_of_the_members():
    vectors, neighbours = some_logits(20, 3), some_neighbours(20, 4)
    members = [vectors[[row, *others]] for row, others in enumerate(neighbours.tolist())]
    expected = torch.stack([rows.var(dim=0, unbiased=False).sum() for rows in members])
    torch.testing.assert_close(region_variance(vectors, neighbours), expected)


def test_the_regulariser_is_the_weighted_sum():
    probs, neighbours = torch.softmax(some_logits(20, 3), dim=1), some_neighbours(20, 4)
    weights = torch.rand(20, generator=torch.Generator().manual_seed(0))
    expected = (weights * slow_information(probs, neighbours)).sum().float()
    torch.testing.assert_close(information_regulariser(probs, neighbours, weights), expected)


def test_its_gradient_is_the_slope_of_the_value():
    neighbours, weights = some_neighbours(12, 3), torch.ones(12)

    def value(logits):
        return information_regulariser(torch.softmax(logits, dim=1), neighbours, weights)

    logits = some_logits(12, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(value(logits), logits)
    step = 1e-2 * some_logits(12, 3, seed=5)
    slope = (value(logits + step) - value(logits - step)) / 2
    torch.testing.assert_close((gradient * step).sum(), slope.detach(), rtol=1e-2, atol=1e-5)


def test_a_step_down_the_gradient_makes_labels_agree():
    neighbours, weights = some_neighbours(12, 3), torch.ones(12)
    logits = some_logits(12, 3).requires_grad_()
    for _ in range(50):
        penalty = information_regulariser(torch.softmax(logits, dim=1), neighbours, weights)
        (gradient,) = torch.autograd.grad(penalty, logits)
        logits = (logits - gradient).detach().requires_grad_()
    after = information_regulariser(torch.softmax(logits, dim=1), neighbours, weights)
    before = information_regulariser(torch.softmax(some_logits(12, 3), dim=1), neighbours, weights)
    assert after.item() < 0.3 * before.item()


def test_the_gradient_is_finite_at_probabilities_of_0_and_1():
    probs = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], requires_grad=True)
    information_regulariser(probs, torch.tensor([[1], [2], [0]]), torch.ones(3)).backward()
    assert bool(torch.isfinite(probs.grad).all())


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="probs must lie in"):
        local_label_information(torch.tensor([[2.0, -1.0]]), torch.zeros(1, 0, dtype=torch.int64))
