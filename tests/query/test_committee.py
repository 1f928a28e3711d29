from dataclasses import replace

import pytest
import torch

from budgetal.measures.disagreement import kl_to_mean, regional_density
from budgetal.testing.pools import make_pool, pick, unlabelled


def test_committee_picks_by_disagreement_times_density_times_novelty():
    pool = make_pool()
    values = kl_to_mean(pool.committee) * regional_density(pool.embeddings)
    selection = pick("committee", pool, 10)
    known = pool.labelled_embeddings
    for row, score in zip(selection.rows.tolist(), selection.scores.tolist(), strict=True):
        scores = values * (1 - (pool.embeddings @ known.T).amax(dim=1).clamp(0, 1))
        assert score == pytest.approx(float(scores.max()), rel=1e-4)
        assert row == scores.argmax()
        known = torch.cat([known, pool.embeddings[row : row + 1]])


def test_of_equal_disagreement_the_image_like_others_comes_first():
    embeddings = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    members = torch.eye(4)[[0, 1]][:, None].repeat(1, 4, 1)
    members[:, 2:] = 0.25
    pool = unlabelled(replace(make_pool(n=4, width=2), embeddings=embeddings, committee=members))
    assert pick("committee", pool, 2).rows.tolist() == [1, 0]


def test_a_dispute_over_one_kind_of_image_does_not_fill_the_batch():
    embeddings = torch.eye(3)[[0] * 8 + [1, 2]]
    members = torch.tensor([[0.9, 0.1], [0.1, 0.9]])[:, None].repeat(1, 10, 1)
    members[:, 8:] = torch.tensor([[0.6, 0.4], [0.4, 0.6]])[:, None]
    pool = replace(make_pool(n=10, n_classes=2, width=3), embeddings=embeddings, committee=members)
    picked = pick("committee", unlabelled(pool), 3).rows.tolist()
    assert picked[0] < 8
    assert sorted(picked[1:]) == [8, 9]
