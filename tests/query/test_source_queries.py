from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import chunks, margin
from budgetal.query.kernels import mmd
from budgetal.query.kernels.mmd import greedy_mmd, kernel_sum
from budgetal.query.kernels.rbf import median_bandwidth
from budgetal.query.strategies import source_queries
from budgetal.testing.pools import make_pool, pick


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def mean_kernel(left, right, bandwidth):
    return float(torch.exp(-(torch.cdist(left.double(), right.double()) ** 2) / (2 * bandwidth**2)).mean())


def objective(rows, candidates, chosen, targets, bonus, bandwidth):
    """MMD² of chosen and picks to the targets, less the mean bonus."""
    members = torch.cat([chosen, candidates[rows]])
    own, cross = mean_kernel(members, members, bandwidth), mean_kernel(members, targets, bandwidth)
    gap = own - 2 * cross + mean_kernel(targets, targets, bandwidth)
    return gap - float(bonus[rows].sum()) / len(members)


def slow_greedy(candidates, chosen, targets, bonus, bandwidth, k):
    rows = []
    for _ in range(k):
        left = [row for row in range(len(candidates)) if row not in rows]
        values = [objective([*rows, row], candidates, chosen, targets, bonus, bandwidth) for row in left]
        rows.append(left[int(np.argmin(values))])
    return rows


@pytest.mark.parametrize("n_chosen", [0, 5])
@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("active_rows", [1, 3, 4096])
def test_greedy_is_that_of_the_whole_objective(n_chosen, share, active_rows, monkeypatch):
    monkeypatch.setattr(mmd, "_ACTIVE_ROWS", active_rows)
    candidates, chosen, targets = cloud(40, 4), cloud(n_chosen, 4, seed=1), cloud(15, 4, seed=2) + 0.1
    bonus = share * margin(make_pool(n=40).probs)
    rows, _ = greedy_mmd(candidates, chosen, targets, bonus, 0.6, 20)
    assert rows.tolist() == slow_greedy(candidates, chosen, targets, bonus, 0.6, 20)


def test_greedy_by_hand():
    line = torch.tensor([[0.0], [1.0], [1.0]])
    far = float(np.exp(-0.5))
    rows, scores = greedy_mmd(line, line[:0], torch.tensor([[0.0]]), torch.zeros(3), 1.0, 3)
    # 2 (1 - 0); then 2 (e - e / 2); then 2 (e - (e + 1) / 3). Of two alike the lower row comes first.
    assert rows.tolist() == [0, 1, 2]
    torch.testing.assert_close(scores, torch.tensor([2.0, far, 2 * (far - (far + 1) / 3)]))


def test_the_kernel_sum_is_that_of_the_full_matrix(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_CELLS", 20)
    left, right = cloud(30, 4), cloud(7, 4, seed=1)
    expected = torch.exp(-(torch.cdist(left, right) ** 2) / (2 * 0.5**2)).sum(dim=1)
    torch.testing.assert_close(kernel_sum(left, right, 0.5), expected)
    assert kernel_sum(left, right[:0], 0.5).tolist() == [0.0] * 30


def test_the_strategy_is_that_objective():
    pool = replace(make_pool(), id_ranks=torch.arange(60))
    bandwidth, bonus = median_bandwidth(pool.target_embeddings), 0.1 * margin(pool.probs)
    expected = slow_greedy(pool.embeddings, pool.labelled_embeddings, pool.target_embeddings, bonus, bandwidth, 10)
    assert pick("source_queries", pool, 10).rows.tolist() == expected


def test_images_like_the_targets_are_asked():
    pool = make_pool()
    two = F.normalize(torch.cat([cloud(30, 6) + 2, cloud(30, 6, seed=1) - 2]), dim=1)
    targets = F.normalize(cloud(20, 6, seed=2) - 2, dim=1)
    rows = pick("source_queries", replace(pool, embeddings=two, target_embeddings=targets), 10).rows
    assert bool((rows >= 30).all())


def test_of_many_targets_some_are_drawn_by_the_seed(monkeypatch):
    monkeypatch.setattr(source_queries, "_TARGET_ROWS", 8)
    pool = make_pool()
    first, again, other = (pick("source_queries", pool, 10, seed).rows.tolist() for seed in (0, 0, 3))
    assert first == again != other


def test_no_target_and_too_many_picks_are_refused():
    pool = make_pool()
    with pytest.raises(ValueError, match="no target images"):
        pick("source_queries", replace(pool, target_embeddings=pool.target_embeddings[:0]))
    with pytest.raises(ValueError, match="0 … 3"):
        greedy_mmd(cloud(3, 2), cloud(1, 2), cloud(1, 2), torch.zeros(3), 1.0, 4)


def test_few_rows_are_looked_at_again(monkeypatch):
    products = []

    def counting(vectors, others, bandwidth):
        products.append(len(vectors) * len(others))
        return kernel_sum(vectors, others, bandwidth)

    monkeypatch.setattr(mmd, "kernel_sum", counting)
    monkeypatch.setattr(mmd, "_ACTIVE_ROWS", 256)
    candidates = F.normalize(cloud(5000, 16) + 3 * cloud(5, 16, seed=1).repeat(1000, 1), dim=1)
    greedy_mmd(candidates, candidates[:50], cloud(20, 16, seed=2), torch.zeros(5000), 1.3, 100)
    after_the_start = products[2:]
    passes = [cells for cells in after_the_start if cells >= 5000]
    assert len(passes) < 50
    assert sum(after_the_start) < 5000 * 100 + 256 * 100


def test_of_equal_scores_the_lowest_row_is_picked_though_it_was_not_active(monkeypatch):
    monkeypatch.setattr(mmd, "_ACTIVE_ROWS", 3)
    far_apart = torch.tensor([[0.0], [100.0], [200.0], [300.0]])
    # Row 0, like what is chosen, scores 1 - 2 · 1/size: 0 at first, and at the third pick 1/2, as row 1 does.
    bonus = torch.tensor([1.0, 0.5, 8.0, 9.0])
    rows, scores = greedy_mmd(far_apart, far_apart[:1], torch.tensor([[-500.0]]), bonus, 1.0, 4)
    assert rows.tolist() == [3, 2, 0, 1]
    assert scores.tolist() == [9, 8, 0.5, 0.5]
