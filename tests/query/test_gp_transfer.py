from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import chunks
from budgetal.query import SourceView
from budgetal.query.kernels.gaussian_process import conditioned, greedy_trace, kernel_map
from budgetal.query.kernels.rbf import median_bandwidth, rbf
from budgetal.testing.pools import make_pool, pick, unlabelled

NOISE = 0.1


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def slow_rbf(left, right, bandwidth):
    return np.exp(-(torch.cdist(left.double(), right.double()) ** 2).numpy() / (2 * bandwidth**2))


def predictive_variance(pool, observed, source, bandwidth, shared):
    """Diagonal of the predictive covariance of an exact two-domain Gaussian process."""
    known = torch.cat([observed, source])
    covariance = slow_rbf(known, known, bandwidth)
    domain = np.array([0] * len(observed) + [1] * len(source))
    covariance[domain[:, None] != domain[None]] *= shared**0.5
    cross = slow_rbf(pool, known, bandwidth) * np.where(domain == 0, 1, shared**0.5)
    solved = np.linalg.solve(covariance + NOISE * np.eye(len(known)), cross.T)
    return 1 - (cross * solved.T).sum(axis=1)


def slow_greedy(pool, labelled, source, bandwidth, shared, k):
    rows, reductions = [], []
    for _ in range(k):
        before = predictive_variance(pool, torch.cat([labelled, pool[rows]]), source, bandwidth, shared).mean()
        after = np.full(len(pool), np.inf)
        for row in set(range(len(pool))) - set(rows):
            observed = torch.cat([labelled, pool[[*rows, row]]])
            after[row] = predictive_variance(pool, observed, source, bandwidth, shared).mean()
        rows.append(int(after.argmin()))
        reductions.append(before - after.min())
    return rows, torch.tensor(reductions).float()


def test_the_strategy_minimises_the_trace_of_the_exact_process():
    """Where source and labelled images lie among the pool's, the inducing rows are all there is."""
    pool = make_pool(n=30)
    pool = replace(
        pool,
        id_ranks=torch.arange(30),
        labelled_embeddings=pool.embeddings[3:6],
        labelled_targets=None,
        labelled_probs=None,
        source=SourceView(pool.embeddings[10:20], pool.source.targets[:10]),
    )
    bandwidth = median_bandwidth(pool.embeddings)
    rows, reductions = slow_greedy(
        pool.embeddings, pool.labelled_embeddings, pool.source.embeddings, bandwidth, 0.5, 12
    )
    picks = pick("gp_transfer", pool, 12)
    assert picks.rows.tolist() == rows
    torch.testing.assert_close(picks.scores, reductions, atol=1e-5, rtol=1e-3)


def test_two_alike_are_worth_twice_one_alone():
    vectors = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    kernel = kernel_map(vectors, 0.1)
    features = kernel.features(vectors)
    rows, reductions = greedy_trace(features, torch.eye(features.shape[1], dtype=torch.float64), NOISE, 3)
    # One label lowers the variance of both by 1/1.1; then 1/1.1 of the lone one; then 0.1²/1.1² of what is left.
    assert rows.tolist() == [1, 0, 2]
    left = 0.1 / 1.1
    expected = torch.tensor([2 / 1.1 / 3, 1 / 1.1 / 3, 2 * left**2 / (left + 0.1) / 3])
    torch.testing.assert_close(reductions, expected, atol=1e-6, rtol=1e-4)


def test_features_between_inducing_rows_are_the_kernel(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", 100)
    vectors = cloud(40, 5)
    kernel = kernel_map(vectors, 0.8)
    features = kernel.features(vectors)
    torch.testing.assert_close(features @ features.T, rbf(vectors, vectors, 0.8), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(kernel.gram(vectors), (features.T @ features).double(), atol=1e-4, rtol=1e-4)


def test_rbf_is_its_formula():
    left, right = cloud(6, 4), torch.cat([cloud(3, 4, seed=1), torch.zeros(1, 4)])
    torch.testing.assert_close(rbf(left, right, 0.7), torch.from_numpy(slow_rbf(left, right, 0.7)).float())


def test_duplicates_add_no_feature():
    assert kernel_map(torch.ones(50, 1), 1.0).projection.shape == (50, 1)


def test_conditioning_is_that_of_the_inverse():
    matrix = torch.from_numpy(np.random.default_rng(0).standard_normal((5, 8)))
    prior, gram = torch.diag(torch.arange(1.0, 6.0)).double(), matrix @ matrix.T
    expected = torch.linalg.inv(torch.linalg.inv(prior) + gram / 0.3)
    torch.testing.assert_close(conditioned(prior, gram, 0.3), expected)


def test_median_bandwidth_by_hand_and_of_what_is_all_alike():
    assert median_bandwidth(torch.tensor([[0.0], [1.0], [3.0], [3.0]])) == pytest.approx(2.0)  # 1 2 2 3 3, and 0 apart
    assert median_bandwidth(torch.ones(4, 2)) == 1.0
    assert median_bandwidth(torch.ones(1, 2)) == 1.0


def test_images_of_the_sources_kind_are_less_worth_asking():
    pool = unlabelled(make_pool())
    away = F.normalize(torch.cat([cloud(30, 6) + 3, cloud(30, 6, seed=1) - 3]), dim=1)
    source = replace(pool.source, embeddings=away[:30])
    pool = replace(pool, embeddings=away, id_ranks=torch.arange(60), source=source)
    assert int(pick("gp_transfer", pool, 1).rows[0]) >= 30


def test_more_picks_than_rows_and_foreign_classes_are_refused():
    with pytest.raises(ValueError, match="0 … 3"):
        greedy_trace(torch.eye(3), torch.eye(3).double(), NOISE, 4)
    pool = make_pool()
    with pytest.raises(ValueError, match="0 … 3 of the project"):
        pick("gp_transfer", replace(pool, source=replace(pool.source, targets=pool.source.targets + 1)))


def test_small_reductions_are_not_drowned_by_the_rounding_of_large_ones():
    groups = torch.from_numpy(np.random.default_rng(0).integers(20, size=1500))
    vectors = F.normalize(cloud(20, 16)[groups] + 0.02 * cloud(1500, 16, seed=1), dim=1)
    features = kernel_map(vectors[:128], median_bandwidth(vectors)).features(vectors)
    covariance = torch.eye(features.shape[1], dtype=torch.float64)
    rows, reductions = greedy_trace(features, covariance, NOISE, 600)
    exact, moment = features.double(), features.double().T @ features.double() / 1500
    for step, row in enumerate(rows.tolist()):
        reached = exact @ covariance
        if step % 50 == 0:
            gains = ((reached @ moment) * reached).sum(dim=1) / ((reached * exact).sum(dim=1) + NOISE)
            gains[rows[:step]] = 0
            assert gains[row] > 0.999 * gains.max()
            assert float(reductions[step]) == pytest.approx(float(gains[row]), rel=1e-3)
        covariance = covariance - torch.outer(reached[row], reached[row]) / (NOISE + reached[row] @ exact[row])
