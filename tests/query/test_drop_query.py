from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from budgetal.measures import margin
from budgetal.query.kernels.nearest_to_centres import nearest_to_centres
from budgetal.query.strategies.drop_query import share_changed
from budgetal.testing.pools import make_pool, pick


def cloud(n, width=5, seed=0):
    return F.normalize(torch.randn(n, width, generator=torch.Generator().manual_seed(seed)), dim=1)


def one_hot(classes):
    return torch.eye(4)[torch.as_tensor(classes)]


def test_the_image_nearest_each_centre_is_that_of_brute_force():
    vectors = cloud(80)
    clusters = torch.from_numpy(np.random.default_rng(0).integers(6, size=80))
    clusters[clusters == 4] = 5  # one cluster stays empty
    sizes = torch.bincount(clusters)
    expected = []
    for cluster in sorted((c for c in range(6) if sizes[c]), key=lambda c: -sizes[c].item()):
        members = torch.nonzero(clusters == cluster)[:, 0]
        distances = (vectors[members].double() - vectors[members].double().mean(dim=0)).norm(dim=1)
        expected.append(int(members[distances.argmin()]))
    assert nearest_to_centres(vectors, clusters).tolist() == expected


def test_of_duplicates_the_lowest_row_is_nearest_and_no_row_has_none():
    assert nearest_to_centres(cloud(1).expand(6, 5), torch.tensor([2, 0, 2, 2, 0, 2])).tolist() == [0, 1]
    assert nearest_to_centres(cloud(0), torch.zeros(0, dtype=torch.int64)).tolist() == []


def test_share_changed_counts_passes_of_another_class():
    passes = torch.stack([one_hot([0, 1]), one_hot([0, 2]), one_hot([3, 1])])
    torch.testing.assert_close(share_changed(passes, one_hot([0, 1])), torch.tensor([1 / 3, 1 / 3]))
    torch.testing.assert_close(share_changed(passes, one_hot([3, 3])), torch.tensor([2 / 3, 1.0]))


def dropped_pool(unsteady, groups):
    """60 images near the axes of `groups`; the class of those in `unsteady` changes in two passes of three."""
    probs = torch.tensor([0.7, 0.3, 0, 0]).repeat(60, 1)
    probs[:, 0] += torch.linspace(0, 0.2, 60)
    probs[:, 1] -= torch.linspace(0, 0.2, 60)
    passes = probs.repeat(3, 1, 1)
    passes[:2, unsteady] = one_hot([1, 1])[:, None]
    noise = 0.05 * torch.randn(60, 6, generator=torch.Generator().manual_seed(0))
    return replace(make_pool(), probs=probs, passes=passes, embeddings=F.normalize(torch.eye(6)[groups] + noise, dim=1))


def test_drop_query_takes_one_unsteady_image_of_each_group_the_largest_first():
    groups = torch.tensor([0] * 10 + [1] * 20 + [2] * 6 + [3] * 24)
    pool = dropped_pool(list(range(36)), groups)
    selection = pick("drop_query", pool, 3)
    assert groups[selection.rows].tolist() == [1, 0, 2]
    torch.testing.assert_close(selection.scores, torch.full((3,), 2 / 3))


def test_drop_query_fills_up_by_margin_where_few_predictions_change():
    pool = dropped_pool([40, 50], torch.arange(60) % 6)
    selection = pick("drop_query", pool, 5)
    assert sorted(selection.rows[:2].tolist()) == [40, 50]
    assert selection.rows[2:].tolist() == margin(pool.probs).argsort(descending=True)[:3].tolist()


def test_exactly_half_of_the_passes_is_not_enough():
    pool = dropped_pool([40], torch.arange(60) % 6)
    halves = pool.passes[[0, 2]]
    assert pick("drop_query", replace(pool, passes=halves), 1).rows.tolist() != [40]
