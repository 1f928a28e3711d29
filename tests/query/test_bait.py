from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import chunks
from budgetal.query.kernels.fisher import class_factors, fisher_sum, leading_directions, quadratic_forms
from budgetal.query.kernels.fisher_search import FisherSearch, _forward, forward_backward, trace_of_ratio
from budgetal.query.strategies.bait import PRIOR
from budgetal.testing.pools import make_pool, pick


def some(n=14, d=3, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.randn(n, d, generator=generator), dim=1)
    return features, torch.softmax(2 * torch.randn(n, classes, generator=generator), dim=1)


def fisher(x, p):
    """xxᵀ ⊗ (diag p - ppᵀ) by its definition."""
    x, p = x.double(), p.double()
    return torch.kron(torch.outer(x, x), torch.diag(p) - torch.outer(p, p))


def whole(features, probs):
    return sum(fisher(x, p) for x, p in zip(features, probs, strict=True))


def trace(information, target):
    return float(torch.trace(torch.linalg.inv(information) @ target))


def problem(**how):
    features, probs = some(**how)
    information = PRIOR * torch.eye(features.shape[1] * probs.shape[1], dtype=torch.float64)
    search = FisherSearch(features, class_factors(probs, probs.shape[1] - 1), information, whole(features, probs))
    return features, probs, information, search


# the information of one image


def test_class_factors_by_hand():
    # Likeliest first: √(½·½) = ½, then -.3·√(½/(1·½)) and -.2; what is left of .3 and .2 is one direction.
    factors = class_factors(torch.tensor([[0.3, 0.5, 0.2]]), 2)[0]
    rest = (0.3 * 0.2 / 0.5) ** 0.5
    torch.testing.assert_close(factors, torch.tensor([[-0.3, rest], [0.5, 0.0], [-0.2, -rest]]))


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_all_class_factors_but_one_give_the_whole_covariance(classes):
    _, probs = some(classes=classes)
    factors = class_factors(probs, classes - 1)
    covariance = torch.diag_embed(probs) - probs[:, :, None] * probs[:, None]
    torch.testing.assert_close(factors @ factors.transpose(1, 2), covariance)


def test_fewer_class_factors_leave_out_something_and_add_nothing():
    _, probs = some(classes=6)
    covariance = torch.diag_embed(probs) - probs[:, :, None] * probs[:, None]
    factors = class_factors(probs, 2)
    left = torch.linalg.eigvalsh((covariance - factors @ factors.transpose(1, 2)).double())
    assert left.min() > -1e-6
    assert left.sum() < 0.3 * torch.diagonal(covariance, dim1=1, dim2=2).sum()


def test_a_certain_image_has_no_information():
    assert class_factors(torch.eye(4), 3).abs().max() == 0


# sums and forms


def test_fisher_sum_is_that_of_kronecker_products(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", 40)
    features, probs = some(classes=4)
    torch.testing.assert_close(fisher_sum(features, probs, torch.eye(4)), whole(features, probs), atol=1e-5, rtol=1e-5)
    basis = leading_directions(torch.diag(torch.tensor([1.0, 5.0, 2.0, 3.0])), 2)
    lift = torch.kron(torch.eye(3), basis.contiguous()).double()
    expected = lift.T @ whole(features, probs) @ lift
    torch.testing.assert_close(fisher_sum(features, probs, basis), expected, atol=1e-5, rtol=1e-5)


def test_leading_directions_are_the_strongest():
    basis = leading_directions(torch.diag(torch.tensor([1.0, 5.0, 2.0, 3.0])), 2)
    assert sorted(basis.abs().argmax(dim=0).tolist()) == [1, 3]
    assert torch.equal(leading_directions(torch.ones(3, 3), 8), torch.eye(3))


def test_quadratic_forms_are_those_of_the_kronecker_vectors(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", 40)
    features, probs = some()
    factors, matrix = class_factors(probs, 2), whole(features, probs)
    found = quadratic_forms(matrix, features, factors.permute(2, 1, 0))
    for row in range(14):
        vectors = torch.kron(features[row, :, None], factors[row]).double()
        torch.testing.assert_close(found[:, :, row].double(), vectors.T @ matrix @ vectors, atol=1e-5, rtol=1e-4)


def test_trace_of_ratio_is_that_of_the_inverse():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(20, 4, 4, generator=generator) for _ in range(2))
    below, above = a @ a.transpose(1, 2) + torch.eye(4), b @ b.transpose(1, 2)
    expected = torch.einsum("nij,nji->n", above, torch.linalg.inv(below))
    torch.testing.assert_close(trace_of_ratio(above.permute(1, 2, 0), below.permute(1, 2, 0)), expected)


# the search


def test_gains_losses_and_trace_are_those_of_direct_inverses():
    features, probs, information, search = problem()
    target = whole(features, probs)
    for row in (4, 9, 2, 9):
        search.add(row)
        information = information + fisher(features[row], probs[row])
    search.drop(2)
    information = information - fisher(features[2], probs[2])
    now = trace(information, target)
    assert search.trace() == pytest.approx(now, rel=1e-6)
    gains = [now - trace(information + fisher(x, p), target) for x, p in zip(features, probs, strict=True)]
    torch.testing.assert_close(search.gains().double(), torch.tensor(gains).double(), rtol=1e-3, atol=1e-3)
    losses = [trace(information - fisher(features[row], probs[row]), target) - now for row in (4, 9)]
    found = search.losses(torch.tensor([4, 9])).double()
    torch.testing.assert_close(found, torch.tensor(losses).double(), rtol=1e-3, atol=1e-3)


def slow_forward_backward(features, probs, information, n):
    target, images = whole(features, probs), [fisher(x, p) for x, p in zip(features, probs, strict=True)]

    def cost(rows):
        return trace(information + sum(images[row] for row in rows), target)

    rows = []
    for _ in range(2 * n):
        rows.append(min((row for row in range(len(images)) if row not in rows), key=lambda row: cost([*rows, row])))
    while len(rows) > n:
        rows.remove(min(rows, key=lambda row: cost([other for other in rows if other != row])))
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_forward_and_backward_steps_are_those_of_brute_force(seed):
    features, probs, information, search = problem(seed=seed)
    rows, gains = forward_backward(search, 4, 14)
    assert rows.tolist() == slow_forward_backward(features, probs, information, 4)
    assert (gains > 0).all()


def test_small_gains_are_not_drowned_by_the_rounding_of_large_ones():
    features, probs, information, search = problem(n=300, d=6)
    rows, _ = forward_backward(search, 100, 300)  # 200 are added, each the best, before 100 are dropped
    added, _ = _forward(problem(n=300, d=6)[3], 200)
    assert set(rows.tolist()) <= set(added.tolist())
    target = whole(features, probs)
    for n_before in range(20, 200, 20):
        before = information + whole(features[added[:n_before]], probs[added[:n_before]])
        fresh = FisherSearch(features, class_factors(probs, 2), before, target).gains()
        fresh[added[:n_before]] = 0
        assert fresh[added[n_before]] > 0.999 * fresh.max()


def test_bait_is_exact_with_three_classes_and_few_features():
    pool = make_pool(n=20, n_labelled=5, n_classes=3, width=4)
    information = PRIOR * torch.eye(12, dtype=torch.float64) + whole(pool.labelled_embeddings, pool.labelled_probs)
    by_id = pool.id_ranks.argsort()
    expected = slow_forward_backward(pool.embeddings[by_id], pool.probs[by_id], information, 4)
    assert pick("bait", pool, 4).rows.tolist() == by_id[expected].tolist()


def test_bait_passes_over_certain_images_and_those_without_features():
    pool = make_pool(n=40)
    probs, embeddings = pool.probs.clone(), pool.embeddings.clone()
    probs[:15] = torch.eye(4)[0]
    embeddings[15:30] = 0
    picked = pick("bait", replace(pool, probs=probs, embeddings=embeddings), 4).rows
    assert (picked >= 30).all()


def pool_of_groups(n=100, classes=20, width=36):
    """Images of as many groups as classes, each mostly predicted as its own."""
    generator = torch.Generator().manual_seed(1)
    groups = torch.randint(classes, (n,), generator=generator)
    centres = torch.randn(classes, width, generator=generator)
    logits = 2 * torch.randn(n, classes, generator=generator) + 4 * torch.eye(classes)[groups]
    vectors = F.normalize(centres[groups] + 0.7 * torch.randn(n, width, generator=generator), dim=1)
    pool = make_pool(n=n, n_labelled=0, n_classes=classes, width=width)
    return replace(pool, embeddings=vectors, probs=torch.softmax(logits, dim=1), id_ranks=torch.arange(n))


def test_many_classes_and_features_are_reduced_and_the_batch_tells_more_than_random_ones():
    pool = pool_of_groups()
    target, prior = whole(pool.embeddings, pool.probs), PRIOR * torch.eye(20 * 36, dtype=torch.float64)

    def left(rows):
        return trace(prior + whole(pool.embeddings[rows], pool.probs[rows]), target)

    at_random = [left(torch.from_numpy(np.random.default_rng(seed).permutation(100)[:20])) for seed in range(4)]
    assert left(pick("bait", pool, 20).rows) < 0.95 * min(at_random)
