import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.measures import knn_density
from budgetal.query.strategies.typical import densest_by_turns
from budgetal.testing.pools import make_pool, pick, unlabelled

module = importlib.import_module("budgetal.query.strategies.typiclust")


@pytest.fixture
def known_centres(monkeypatch):
    """k-means from a random start may split a group; here it finds the axes."""
    monkeypatch.setattr(module, "kmeans_centres", lambda parts, n_clusters, rng: torch.eye(8)[:n_clusters])


def blobs(sizes, seed=0):
    """Groups of these sizes around the axes, and the group of each row."""
    rng = np.random.default_rng(seed)
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    noise = torch.from_numpy(rng.standard_normal((len(groups), 8)).astype(np.float32))
    return F.normalize(torch.eye(8)[groups] + 0.05 * noise, dim=1), groups


def pool_of(embeddings, labelled):
    pool = make_pool(n=len(embeddings), n_labelled=len(labelled), width=8)
    order = torch.arange(len(embeddings))
    return replace(pool, embeddings=embeddings, labelled_embeddings=labelled, id_ranks=order)


def test_groups_come_largest_first_and_the_labelled_one_not_at_all(known_centres):
    embeddings, groups = blobs([10, 40, 20, 30])
    selection = pick("typiclust", pool_of(embeddings, torch.eye(8)[3:4]), 3)
    assert groups[selection.rows].tolist() == [1, 2, 0]


def test_without_labels_each_group_gives_its_densest_image(known_centres):
    embeddings, groups = blobs([10, 40, 20, 30])
    selection = pick("typiclust", unlabelled(pool_of(embeddings, embeddings[:0])), 4)
    assert groups[selection.rows].tolist() == [1, 3, 2, 0]
    for row, group in zip(selection.rows, [1, 3, 2, 0], strict=True):
        members = torch.nonzero(groups == group)[:, 0]
        assert row == members[knn_density(embeddings[members], 20).argmax()]


def test_a_cluster_of_five_is_left_for_last(known_centres):
    embeddings, groups = blobs([5, 40, 20, 30])
    pool = unlabelled(pool_of(embeddings, embeddings[:0]))
    assert groups[pick("typiclust", pool, 4).rows].tolist() == [1, 3, 2, 1]
    assert sorted(pick("typiclust", pool, 95).rows.tolist()) == list(range(95))


def test_turns_start_again_when_clusters_run_out(known_centres, monkeypatch):
    monkeypatch.setattr(module, "_MOST_CLUSTERS", 3)
    embeddings, groups = blobs([40, 20, 30])
    selection = pick("typiclust", pool_of(embeddings, torch.eye(8)[:1]), 7)
    # Fewest labels first, then largest: groups 2 and 1, then the labelled 0; and again.
    assert groups[selection.rows].tolist() == [2, 1, 0, 2, 1, 0, 2]


def test_densest_by_turns_is_that_of_a_loop():
    embeddings = blobs([30, 30])[0]
    clusters = torch.from_numpy(np.random.default_rng(1).integers(5, size=60))
    order = [3, 0, 4, 1, 2]
    ranked = {}
    for cluster in order:
        members = torch.nonzero(clusters == cluster)[:, 0]
        density = knn_density(embeddings[members], 20)
        ranked[cluster] = members[density.argsort(descending=True, stable=True)].tolist()
    expected = [ranked[c][turn] for turn in range(60) for c in order if turn < len(ranked[c])]
    for k in (1, 3, 5, 17, 60):
        assert densest_by_turns(embeddings, clusters, torch.tensor(order), k)[0].tolist() == expected[:k]


def test_labelled_images_are_clustered_along_with_the_pool_into_one_cluster_for_each_and_each_pick(monkeypatch):
    asked = []

    def centres(parts, n_clusters, rng):
        asked.append(([len(part) for part in parts], n_clusters))
        return torch.eye(8).repeat(10, 1)[:n_clusters]

    monkeypatch.setattr(module, "kmeans_centres", centres)
    pick("typiclust", make_pool(n=60, n_labelled=8, width=8), 5)
    assert asked == [([8, 60], 13)]
