import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.query.strategies.prob_cover import pure_radius
from budgetal.testing.pools import make_pool, pick, unlabelled

module = importlib.import_module("budgetal.query.strategies.prob_cover")
max_cover = importlib.import_module("budgetal.query.kernels.max_cover")  # the package exports a function of this name


def circle(*degrees):
    angles = torch.tensor(degrees).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def pool_of(embeddings, labelled, n_classes=2):
    pool = make_pool(n=len(embeddings), n_labelled=len(labelled), width=embeddings.shape[1], n_classes=n_classes)
    order = torch.arange(len(embeddings))
    return replace(pool, embeddings=embeddings, labelled_embeddings=labelled, id_ranks=order)


def slow_radius(embeddings, clusters):
    """The largest of all distances at which 95 % of balls are pure."""
    distances = torch.cdist(embeddings.double(), embeddings.double(), compute_mode="donot_use_mm_for_euclid_dist")
    other = clusters[:, None] != clusters
    purity = {float(r): float((~((distances < r) & other).any(dim=1)).double().mean()) for r in distances.unique()}
    return max(radius for radius, share in purity.items() if share >= 0.95)


@pytest.mark.parametrize("n", [7, 20, 100, 101])
def test_the_radius_is_the_largest_pure_one(n, monkeypatch):
    monkeypatch.setattr("budgetal.measures.chunks.CACHED_CELLS", 500)
    rng = np.random.default_rng(n)
    embeddings = F.normalize(torch.from_numpy(rng.standard_normal((n, 3)).astype(np.float32)), dim=1)
    clusters = torch.from_numpy(rng.integers(3, size=n))
    assert pure_radius(embeddings, clusters) == pytest.approx(slow_radius(embeddings, clusters), abs=1e-5)


def test_the_radius_by_hand():
    embeddings = circle(0.0, 60.0, 180.0, 240.0)
    # Each is nearest another cluster at 120 degrees: a chord of √3.
    assert pure_radius(embeddings, torch.tensor([0, 0, 1, 1])) == pytest.approx(3**0.5)
    assert pure_radius(embeddings, torch.zeros(4, dtype=torch.int64)) == float("inf")


def test_the_densest_surroundings_come_first_and_labelled_ones_are_left_out(monkeypatch):
    monkeypatch.setattr(module, "pure_radius", lambda embeddings, clusters: 0.1)
    groups = [(0.0, 8), (90.0, 12), (180.0, 5)]
    embeddings = torch.cat([circle(*[angle + 0.1 * i for i in range(size)]) for angle, size in groups])
    selection = pick("prob_cover", pool_of(embeddings, embeddings[:0], n_classes=3), 3)
    assert selection.rows.tolist() == [8, 0, 20]
    assert selection.scores.tolist() == [12, 8, 5]
    labelled = pick("prob_cover", pool_of(embeddings, circle(90.5), n_classes=3), 2)
    assert labelled.rows.tolist() == [0, 20]


def test_picks_are_those_of_the_formula(monkeypatch):
    monkeypatch.setattr(module, "pure_radius", lambda embeddings, clusters: 0.8)
    pool = replace(make_pool(n=60, n_labelled=3), id_ranks=torch.arange(60))
    selection = pick("prob_cover", pool, 20)
    everything = torch.cat([pool.labelled_embeddings, pool.embeddings]).double()
    near = torch.cdist(everything, everything)[:, 3:] < 0.8
    covered, expected = near[:3].any(dim=0), []
    for _ in range(20):
        gains = (near[3:] & ~covered).sum(dim=1)
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        covered |= near[3 + expected[-1]]
    assert selection.rows.tolist() == expected
    assert selection.weights == {"radius": 0.8}


def test_a_large_pool_is_covered_in_a_sample(monkeypatch):
    monkeypatch.setattr(max_cover, "_LARGE_POOL", 50)
    monkeypatch.setattr(max_cover, "_REFERENCE_ROWS", 20)
    pool = unlabelled(make_pool(n=60))
    assert pick("prob_cover", pool, 60).scores.sum() <= 20
    monkeypatch.setattr(max_cover, "_LARGE_POOL", 60)
    assert pick("prob_cover", pool, 60).scores.sum() == 60
