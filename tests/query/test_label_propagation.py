from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from budgetal.measures.propagation import affinity_graph, propagate
from budgetal.testing.pools import make_pool, pick, unlabelled


def test_label_propagation_picks_by_uncertainty_times_novelty():
    pool = make_pool()
    graph = affinity_graph(torch.cat([pool.embeddings, pool.labelled_embeddings]))
    targets = torch.cat([torch.full((60,), -1), pool.labelled_targets])
    certainty = propagate(graph, targets, 4)[1][:60]
    selection = pick("label_propagation", pool, 10)
    known = pool.labelled_embeddings
    for row, score in zip(selection.rows.tolist(), selection.scores.tolist(), strict=True):
        scores = (1 - certainty) * (1 - (pool.embeddings @ known.T).amax(dim=1).clamp(0, 1))
        assert score == pytest.approx(float(scores.max()), abs=1e-5)
        assert row == scores.argmax()
        known = torch.cat([known, pool.embeddings[row : row + 1]])


def test_an_image_that_no_label_reaches_comes_before_one_between_two_classes():
    # Rows 0 to 2 on the circle between the labelled ends, row 3 at a right angle to all.
    angles = torch.tensor([0.1, 0.78, 1.5])
    circle = torch.stack([angles.cos(), angles.sin(), torch.zeros(3)], dim=1)
    embeddings = torch.cat([circle, torch.tensor([[0.0, 0.0, 1.0]])])
    pool = replace(
        make_pool(n=4, n_labelled=2, n_classes=2, width=3),
        embeddings=embeddings,
        labelled_embeddings=torch.eye(3)[:2],
        labelled_targets=torch.tensor([0, 1]),
        id_ranks=torch.arange(4),
    )
    assert pick("label_propagation", pool, 4).rows.tolist()[:2] == [3, 1]


def test_without_labels_all_images_are_unsure_and_the_lowest_sample_id_is_first():
    pool = unlabelled(make_pool())
    selection = pick("label_propagation", pool, 60)
    torch.testing.assert_close(selection.uncertainty, torch.ones(60))
    assert pool.id_ranks[selection.rows[0]] == pool.id_ranks.min()
    assert (selection.scores.diff() <= 0).all()


def test_labels_of_the_same_class_spread_over_their_group():
    noise = 0.05 * torch.randn(60, 6, generator=torch.Generator().manual_seed(0))
    groups = torch.arange(60) % 3
    vectors = F.normalize(torch.eye(6)[groups] + noise, dim=1)
    targets = torch.full((60,), -1)
    targets[:3] = torch.tensor([2, 0, 1])
    probs, _ = propagate(affinity_graph(vectors, 15), targets, 3)
    assert probs.argmax(dim=1).tolist() == torch.tensor([2, 0, 1])[groups].tolist()
