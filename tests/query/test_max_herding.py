import importlib
from dataclasses import replace

import torch

from budgetal.query.strategies.max_herding import gaussian
from budgetal.testing.pools import make_pool, pick

max_cover = importlib.import_module("budgetal.query.kernels.max_cover")  # the package exports a function of this name


def in_id_order(pool):
    return replace(pool, id_ranks=torch.arange(len(pool)))


def test_the_kernel_by_hand():
    # ‖x - y‖² is 0, 2 and 4.
    ends = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    torch.testing.assert_close(gaussian(ends[:1], ends)[0], torch.exp(torch.tensor([0.0, -2.0, -4.0])))


def test_picks_are_those_of_the_formula():
    pool = in_id_order(make_pool(n=60, n_labelled=8))
    squares = torch.cdist(torch.cat([pool.labelled_embeddings, pool.embeddings]), pool.embeddings).square()
    kernel = torch.exp(-squares)
    covered, expected = kernel[:8].amax(dim=0), []
    for _ in range(20):
        gains = (kernel[8:] - covered).clamp(min=0).sum(dim=1)
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        covered = torch.maximum(covered, kernel[8 + expected[-1]])
    assert pick("max_herding", pool, 20).rows.tolist() == expected


def test_gains_only_fall():
    assert (pick("max_herding", make_pool(), 30).scores.diff() <= 0).all()


def test_a_large_pool_is_covered_in_an_evenly_spaced_sample(monkeypatch):
    monkeypatch.setattr(max_cover, "_LARGE_POOL", 50)
    monkeypatch.setattr(max_cover, "_REFERENCE_ROWS", 2)
    pool = in_id_order(make_pool(n=60, n_labelled=0))
    # Rows 0 and 59 are the sample: alone they cover themselves best.
    assert sorted(pick("max_herding", pool, 2).rows.tolist()) == [0, 59]
