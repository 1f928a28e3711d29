from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from budgetal.query.kernels import cluster_tree
from budgetal.query.kernels.cluster_tree import ClusterTree, error_bound
from budgetal.testing.pools import make_pool, pick, unlabelled


def bunch(direction, n, seed=0):
    """n unit vectors near `direction`."""
    rng = np.random.default_rng(seed)
    noise = torch.from_numpy(rng.standard_normal((n, len(direction))).astype(np.float32))
    return F.normalize(torch.tensor(direction) + 0.05 * noise, dim=1)


UP, DOWN, RIGHT = [0.0, 1.0, 0.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]


def bounds(vectors, known, targets, n_classes=3, tolerance=0.05):
    tree = ClusterTree(vectors, known, torch.tensor(targets), n_classes, tolerance)
    return tree.error_bounds(np.random.default_rng(0))


def test_error_bound_by_hand():
    # Nine of ten: 1 - (0.9 - 0.1 - √(0.09 / 10)); four of four: 1/4; none, one, or half of two: nothing is sure.
    assert error_bound(torch.tensor([9, 1])) == pytest.approx(0.2 + 0.009**0.5)
    assert error_bound(torch.tensor([0, 4])) == pytest.approx(0.25)
    assert [error_bound(torch.tensor(counts)) for counts in ([0, 0], [1, 0], [1, 1])] == [1, 1, 1]


def test_pure_clusters_are_cut_out_and_bounded_by_their_labels():
    vectors = torch.cat([bunch(UP, 40), bunch(DOWN, 20, seed=1)])
    known = torch.cat([bunch(UP, 25, seed=2), bunch(DOWN, 10, seed=3)])
    found = bounds(vectors, known, [0] * 25 + [1] * 10)
    torch.testing.assert_close(found, torch.cat([torch.full((40,), 1 / 25), torch.full((20,), 1 / 10)]))


def test_a_tree_of_three_levels():
    vectors = torch.cat([bunch(UP, 30), bunch(DOWN, 30, seed=1), bunch(RIGHT, 30, seed=2)])
    known = torch.cat([bunch(UP, 8, seed=3), bunch(DOWN, 8, seed=4), bunch(RIGHT, 8, seed=5)])
    torch.testing.assert_close(bounds(vectors, known, [0] * 8 + [1] * 8 + [2] * 8), torch.full((90,), 1 / 8))


def test_a_cluster_without_labels_is_as_open_as_can_be():
    vectors = torch.cat([bunch(UP, 30), bunch(RIGHT, 30, seed=1)])
    known = bunch(UP, 20, seed=2)
    found = bounds(vectors, known, [0] * 19 + [1])
    # With it, the node of all is bounded by 1 - (0.95 - 0.05 - √(0.0475 / 20)); without it, it is open.
    assert float(found.sum()) <= 60 * (1 - 0.9 + (0.0475 / 20) ** 0.5) + 1e-4


def test_labels_that_no_split_explains_leave_the_node_whole():
    vectors, known = bunch(UP, 50), bunch(UP, 1, seed=1).expand(12, -1).contiguous()
    expected = error_bound(torch.tensor([6, 6]))
    torch.testing.assert_close(bounds(vectors, known, [0, 1] * 6), torch.full((50,), expected))


def test_the_cut_is_never_worse_than_the_root():
    rng = np.random.default_rng(3)
    vectors = F.normalize(torch.from_numpy(rng.standard_normal((200, 5)).astype(np.float32)), dim=1)
    targets = rng.integers(3, size=100)
    found = bounds(vectors, vectors[:100], targets.tolist())
    assert float(found.mean()) <= error_bound(torch.from_numpy(np.bincount(targets))) + 1e-6
    assert float(found.min()) > 0


def test_an_accepted_node_and_a_node_of_one_class_are_not_split(monkeypatch):
    def never(*_):
        raise AssertionError("split")

    monkeypatch.setattr(cluster_tree, "kmeans", never)
    vectors = bunch(UP, 10)
    assert bounds(vectors, bunch(UP, 3), [1, 1, 1]).tolist() == pytest.approx([1 / 3] * 10)
    mixed = [0] * 99 + [1]
    accepted = error_bound(torch.tensor([99, 1]))
    assert accepted < 0.05
    assert bounds(vectors, bunch(UP, 100), mixed).tolist() == pytest.approx([accepted] * 10)


def transfer_pool():
    """Source labels settle the images above; those below have labels of both kinds."""
    pool = replace(unlabelled(make_pool(width=3, n_classes=3)), labelled_probs=None)
    embeddings = torch.cat([bunch(UP, 30), bunch(DOWN, 30, seed=1)])
    source = replace(
        pool.source,
        embeddings=torch.cat([bunch(UP, 40, seed=2), bunch(DOWN, 40, seed=3)]),
        targets=torch.tensor([0] * 40 + [1, 2] * 20),
        layers=(),
    )
    return replace(pool, embeddings=embeddings, id_ranks=torch.arange(60), source=source)


def test_the_open_cluster_is_asked():
    everything = pick("hierarchical_transfer", transfer_pool(), 60)
    settled = everything.rows < 30
    torch.testing.assert_close(everything.scores[settled], torch.full((30,), 1 / 40))
    assert float(everything.scores[~settled].mean()) > 0.4
    firsts = [int(pick("hierarchical_transfer", transfer_pool(), 1, seed).rows) for seed in range(12)]
    assert sum(row >= 30 for row in firsts) >= 9


def test_labels_of_the_project_close_it():
    pool = transfer_pool()
    labelled = bunch(DOWN, 400, seed=4)
    more = replace(pool, labelled_embeddings=labelled, n_labelled=400, labelled_targets=torch.ones(400).long())
    before, after = pick("hierarchical_transfer", pool, 20), pick("hierarchical_transfer", more, 20)
    assert float(after.scores.max()) < 0.2 < float(before.scores.max())
