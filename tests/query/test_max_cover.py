import importlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.query.kernels import ball_cover, max_cover
from budgetal.query.strategies.max_herding import gaussian
from budgetal.query.strategies.suggestive import cosine

module = importlib.import_module("budgetal.query.kernels.max_cover")  # the package exports a function of this name


def cloud(n, width, seed=0):
    rng = np.random.default_rng(seed)
    return F.normalize(torch.from_numpy(rng.standard_normal((n, width)).astype(np.float32)), dim=1)


def slow_cover(similar, best, k):
    """Greedy, scoring every row after every pick."""
    rows, gains = [], []
    for _ in range(k):
        gain = (similar - best).clamp(min=0).sum(dim=1)
        gain[rows] = -1
        rows.append(int(gain.argmax()))
        gains.append(gain[rows[-1]])
        best = torch.maximum(best, similar[rows[-1]])
    return rows, torch.stack(gains)


@pytest.mark.parametrize("similarity", [cosine, gaussian])
@pytest.mark.parametrize("n_chosen", [0, 5])
@pytest.mark.parametrize("kept_cells", [0, 10**6])
def test_max_cover_is_that_of_brute_force(similarity, n_chosen, kept_cells, monkeypatch):
    monkeypatch.setattr(module, "_KEPT_CELLS", kept_cells)
    monkeypatch.setattr("budgetal.measures.chunks.CACHED_CELLS", 200)  # several blocks
    candidates, covered, chosen = cloud(60, 4), cloud(45, 4, seed=1), cloud(n_chosen, 4, seed=2)
    rows, gains = max_cover(candidates, covered, chosen, 30, similarity)
    best = torch.cat([torch.zeros(1, 45), similarity(chosen, covered)]).amax(dim=0)
    slow_rows, slow_gains = slow_cover(similarity(candidates, covered), best, 30)
    assert rows.tolist() == slow_rows
    torch.testing.assert_close(gains, slow_gains, atol=1e-5, rtol=1e-4)


def test_max_cover_by_hand():
    covered = torch.eye(3)
    candidates = torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    rows, gains = max_cover(candidates, covered, covered[:0], 4, cosine)
    # 1.4 for row 1; then 1 for row 0; then row 2 adds 1 - 0.6 and row 3 adds 1 - 0.8.
    assert rows.tolist() == [1, 0, 2, 3]
    torch.testing.assert_close(gains, torch.tensor([1.4, 1.0, 0.4, 0.2]))


def test_max_cover_breaks_ties_by_row_and_picks_duplicates_once_each():
    axes = torch.eye(4).repeat(3, 1)
    assert max_cover(axes, axes, axes[:0], 12, cosine)[0].tolist() == list(range(12))


def test_max_cover_refuses_more_than_there_are():
    with pytest.raises(ValueError, match="0 … 3"):
        max_cover(cloud(3, 2), cloud(3, 2), cloud(0, 2), 4, cosine)


# ball_cover


@pytest.mark.parametrize("radius", [0.0, 0.4, 0.9, 3.0, float("inf")])
@pytest.mark.parametrize("n_chosen", [0, 4])
def test_ball_cover_is_that_of_brute_force(radius, n_chosen, monkeypatch):
    monkeypatch.setattr("budgetal.measures.chunks.CACHED_CELLS", 200)
    candidates, covered, chosen = cloud(70, 4), cloud(50, 4, seed=1), cloud(n_chosen, 4, seed=2)
    rows, counts = ball_cover(candidates, covered, chosen, 40, radius)
    best = torch.cat([torch.zeros(1, 50), (torch.cdist(chosen, covered) < radius).float()]).amax(dim=0)
    slow_rows, slow_counts = slow_cover((torch.cdist(candidates, covered) < radius).float(), best, 40)
    assert rows.tolist() == slow_rows
    assert counts.tolist() == slow_counts.tolist()


def test_ball_cover_by_hand():
    line = torch.tensor([[0.0], [1.0], [2.0], [3.0], [10.0]])
    rows, counts = ball_cover(line, line, line[:0], 4, 1.5)
    # Balls of rows 1 and 2 hold three each, the lower row wins; then 3 and 4 hold one new each; then nothing is left.
    assert rows.tolist() == [1, 2, 4, 0]
    assert counts.tolist() == [3, 1, 1, 0]


def test_ball_cover_leaves_out_what_chosen_balls_hold():
    line = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    assert ball_cover(line, line, line[1:2], 1, 1.5)[0].tolist() == [3]


def test_ball_cover_refuses_more_than_there_are():
    with pytest.raises(ValueError, match="0 … 3"):
        ball_cover(cloud(3, 2), cloud(3, 2), cloud(0, 2), 4, 1.0)
