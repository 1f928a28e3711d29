from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from budgetal.measures import adaptive_weights, entropy, margin
from budgetal.query.strategies.typical import most_typical
from budgetal.testing import pools
from budgetal.testing.pools import pick, picked_ids, plain, unlabelled


def make_pool(**sizes):
    return plain(pools.make_pool(**sizes))


def blobs(sizes, width=8, spread=0.05, seed=0):
    """Groups of images of these sizes, and the group of each row."""
    rng = np.random.default_rng(seed)
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    noise = torch.from_numpy(rng.standard_normal((len(groups), width)).astype(np.float32))
    return F.normalize(torch.eye(width)[groups] + spread * noise, dim=1), groups


def test_margin_and_entropy_pick_by_their_measure():
    pool = make_pool()
    for name, measure in (("margin", margin), ("entropy", entropy)):
        scores = measure(pool.probs)
        assert pick(name, pool, 60).rows.tolist() == scores.argsort(descending=True).tolist()


def test_equal_scores_are_picked_by_sample_id():
    pool = make_pool()
    pool = replace(pool, probs=torch.full((60, 4), 0.25))
    assert picked_ids("margin", pool, 60) == sorted(pool.id_ranks.tolist())


def test_information_density_prefers_the_uncertain_image_that_resembles_others():
    embeddings = torch.tensor([[1.0, 0.0]] * 5 + [[0.0, 1.0]])
    probs = torch.tensor([[1.0, 0.0]] * 4 + [[0.6, 0.4], [0.5, 0.5]])
    pool = replace(make_pool(n=6, n_labelled=1, width=2), embeddings=embeddings, probs=probs)
    selection = pick("information_density", pool, 2)
    # Densities 5/6 and 1/6 times margins 0.8 and 1.
    assert selection.rows.tolist() == [4, 5]
    torch.testing.assert_close(selection.scores, torch.tensor([4 / 6, 1 / 6]))


def test_core_set_covers_each_group_once_before_any_twice():
    embeddings, groups = blobs([30, 5, 15, 10])
    pool = replace(make_pool(width=8), embeddings=embeddings, labelled_embeddings=torch.eye(8)[:1])
    assert groups[pick("core_set", pool, 3).rows].sort().values.tolist() == [1, 2, 3]


def test_the_first_query_takes_one_image_of_each_group_the_largest_first():
    embeddings, groups = blobs([5, 30, 15, 10])
    pool = unlabelled(replace(make_pool(width=8), embeddings=embeddings))
    selection = pick("informative", pool, 4)
    assert groups[selection.rows].tolist() == [1, 2, 3, 0]


def test_the_first_query_takes_the_densest_image_of_a_group():
    ring = F.normalize(torch.tensor([[1.0, x, y] for x in (-0.3, 0.3) for y in (-0.3, 0.3)]), dim=1)
    embeddings = torch.cat([ring, torch.tensor([[1.0, 0.0, 0.0]])])
    assert most_typical(embeddings, 1, np.random.default_rng(0)).rows.tolist() == [4]


def test_informative_avoids_the_outlier_and_what_is_labelled_already():
    embeddings, groups = blobs([20, 20, 19, 1], spread=0.1)
    probs = torch.full((60, 4), 0.25)
    labelled = embeddings[:5]
    pool = replace(make_pool(width=8), embeddings=embeddings, probs=probs, labelled_embeddings=labelled)
    picked = groups[pick("informative", pool, 2).rows].sort().values
    assert picked.tolist() == [1, 2]


def test_informative_prefers_the_uncertain_of_two_like_images():
    embeddings, groups = blobs([30, 30], spread=0.05)
    probs = torch.tensor([[0.9, 0.1, 0, 0]]).repeat(60, 1)
    probs[:30] = torch.tensor([0.5, 0.5, 0, 0])
    pool = replace(make_pool(width=8), embeddings=embeddings, probs=probs, n_labelled=4000)
    picked = groups[pick("informative", replace(pool, labelled_embeddings=torch.eye(8)[5:]), 1).rows]
    assert picked.tolist() == [0]


def test_informative_tells_what_it_weighed():
    pool = make_pool(n_labelled=8, n_classes=4)
    selection = pick("informative", pool, 5)
    weights = adaptive_weights(8, 4)
    assert selection.weights == {"alpha": weights.alpha, "beta": weights.beta, "gamma": weights.gamma}
    product = (
        selection.uncertainty**weights.alpha
        * selection.correlation**weights.beta
        * (1 - selection.redundancy) ** weights.gamma
    )
    torch.testing.assert_close(selection.scores, product)
    assert (selection.scores.diff() <= 0).all()
