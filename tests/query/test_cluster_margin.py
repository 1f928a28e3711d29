import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.cluster.hierarchy import fcluster, linkage

from budgetal.measures import margin
from budgetal.query.kernels.average_linkage import average_linkage
from budgetal.query.strategies.cluster_margin import smallest_first_by_turns
from budgetal.testing.pools import make_pool, pick

module = importlib.import_module("budgetal.query.strategies.cluster_margin")


def blobs(sizes, width=8, seed=0):
    rng = np.random.default_rng(seed)
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    noise = torch.from_numpy(rng.standard_normal((len(groups), width)).astype(np.float32))
    return F.normalize(torch.eye(width)[groups] + 0.05 * noise, dim=1), groups


def test_turns_by_hand():
    # Cluster 7 has one row, 2 has two, 4 has three.
    clusters = torch.tensor([4, 2, 4, 7, 2, 4])
    assert smallest_first_by_turns(clusters).tolist() == [3, 1, 0, 4, 2, 5]


def test_of_the_most_uncertain_each_cluster_gives_one_the_smallest_first(monkeypatch):
    embeddings, groups = blobs([60, 30, 20])
    pool = make_pool(n=110, width=8)
    probs = torch.tensor([0.9, 0.1, 0, 0]).repeat(110, 1)
    uncertain = torch.cat([torch.arange(0, 17), torch.arange(60, 69), torch.arange(90, 94)])
    probs[uncertain] = torch.tensor([0.55, 0.45, 0, 0])
    pool = replace(pool, embeddings=embeddings, probs=probs, id_ranks=torch.arange(110))
    monkeypatch.setattr(module, "average_linkage", lambda vectors, n_clusters, rng: groups)
    rows = pick("cluster_margin", pool, 3).rows
    assert set(rows.tolist()) <= set(uncertain.tolist())
    assert groups[rows].tolist() == [2, 1, 0]
    assert not torch.equal(rows, pick("cluster_margin", pool, 3, seed=1).rows)  # drawn at random inside a cluster


def test_only_the_ten_n_most_uncertain_are_picked_from():
    pool = make_pool(n=200)
    uncertainty = margin(pool.probs)
    rows = pick("cluster_margin", pool, 5).rows
    assert uncertainty[rows].min() >= uncertainty.sort(descending=True).values[49]


@pytest.mark.parametrize("n_clusters", [1, 4, 30])
def test_average_linkage_is_that_of_scipy(n_clusters):
    vectors = blobs([15, 10, 5])[0]
    ours = average_linkage(vectors, n_clusters, np.random.default_rng(0))
    theirs = fcluster(linkage(vectors.numpy(), "average"), n_clusters, "maxclust")
    pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
    assert len(pairs) == len(set(ours.tolist())) == n_clusters


def test_average_linkage_of_many_rows_joins_centres(monkeypatch):
    monkeypatch.setattr("budgetal.query.kernels.average_linkage._MOST_LEAVES", 16)
    vectors, groups = blobs([60, 50, 40])
    clusters = average_linkage(vectors, 3, np.random.default_rng(0))
    assert len(set(zip(clusters.tolist(), groups.tolist(), strict=True))) == 3


def test_average_linkage_refuses_more_clusters_than_rows():
    with pytest.raises(ValueError, match="1 … 3"):
        average_linkage(torch.eye(3), 4, np.random.default_rng(0))


def test_average_linkage_leaves_as_many_clusters_as_asked_for_of_identical_rows_too():
    same = torch.eye(4)[:1].expand(20, -1)
    assert len(average_linkage(same, 6, np.random.default_rng(0)).unique()) == 6
