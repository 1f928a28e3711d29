from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import Ridge

from budgetal.query.kernels.ridge import ridge_probs
from budgetal.query.kernels.weighted_sample import weighted_sample
from budgetal.testing.pools import make_pool, pick

WEIGHTS = torch.tensor([0.1, 0.2, 0.3, 0.4])


def draws(k, n_draws=4000):
    rng = np.random.default_rng(0)
    return [weighted_sample(WEIGHTS, k, rng) for _ in range(n_draws)]


def test_the_first_is_drawn_by_weight():
    firsts = np.bincount([int(rows[0]) for rows, _ in draws(1)], minlength=4) / 4000
    assert np.abs(firsts - WEIGHTS.numpy()).max() < 0.03


def test_the_second_is_drawn_by_weight_among_those_left():
    seconds = [int(rows[1]) for rows, _ in draws(2) if int(rows[0]) == 3]
    assert np.abs(np.bincount(seconds, minlength=4) / len(seconds) - np.array([1, 2, 3, 0]) / 6).max() < 0.05


@pytest.mark.parametrize("k", [1, 2, 3])
def test_importance_weighted_sums_are_unbiased(k):
    values = torch.tensor([5.0, -1.0, 2.0, 3.0])
    estimates = [float((values[rows] / chances).sum()) for rows, chances in draws(k)]
    assert np.mean(estimates) == pytest.approx(9.0, abs=4 * np.std(estimates) / len(estimates) ** 0.5)


def test_a_draw_of_all_is_certain():
    rows, chances = weighted_sample(WEIGHTS, 4, np.random.default_rng(0))
    assert sorted(rows.tolist()) == [0, 1, 2, 3]
    assert chances.tolist() == [1, 1, 1, 1]


def test_a_weight_of_0_and_too_many_draws_are_refused():
    with pytest.raises(ValueError, match="weights must be positive, but the least is 0"):
        weighted_sample(torch.tensor([0.0, 1.0]), 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="0 … 4"):
        weighted_sample(WEIGHTS, 5, np.random.default_rng(0))


def test_ridge_is_that_of_scikit_learn():
    pool = make_pool()
    vectors, targets = pool.source.embeddings, pool.source.targets
    fitted = Ridge(alpha=1e-3 * len(vectors)).fit(vectors.double(), F.one_hot(targets, 4).double())
    scores = fitted.predict(pool.embeddings.double()).clip(0)
    expected = torch.from_numpy(scores / scores.sum(axis=1, keepdims=True)).float()
    found = ridge_probs(vectors, targets, 4, pool.embeddings)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)


def test_ridge_of_one_class_is_sure_of_it():
    vectors = make_pool().embeddings
    probs = ridge_probs(vectors[:5], torch.full((5,), 2), 4, vectors)
    torch.testing.assert_close(probs, torch.tensor([0.0, 0.0, 1.0, 0.0]).expand(60, 4))


def pool_of_two_sides(probs):
    """Images left or right; the source says left is class 0 and right class 1."""
    sides = F.normalize(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).repeat(30, 1), dim=1)
    pool = make_pool(n_classes=2, width=2)
    source = replace(pool.source, embeddings=sides[:30], targets=torch.tensor([0, 1] * 15))
    return replace(pool, embeddings=sides, probs=probs, source=source, id_ranks=torch.arange(60))


def test_the_chance_is_the_largest_of_disagreement_uncertainty_and_a_tenth():
    agree, unsure, contradict = [1.0, 0.0], [0.6, 0.4], [0.2, 0.8]
    probs = torch.tensor([agree, [0.0, 1.0], unsure, [0.0, 1.0], contradict, [0.0, 1.0]]).repeat(10, 1)
    pool = pool_of_two_sides(probs)
    left = float(ridge_probs(pool.source.embeddings, pool.source.targets, 2, pool.embeddings[:1])[0, 0])
    wanted = torch.tensor([0.1, 0.1, 0.4, 0.1, left - 0.2, 0.1])
    picks = pick("transfer_importance", pool, 40)
    # π = 1 - exp(-q e^-κ), with one κ for all.
    levels = -torch.log1p(-picks.scores) / wanted[picks.rows % 6]
    assert len(set((picks.rows % 6).tolist())) == 6
    torch.testing.assert_close(levels, levels[:1].expand(40), rtol=1e-3, atol=1e-5)


def test_the_score_of_a_pick_is_its_chance():
    picks = pick("transfer_importance", make_pool(), 10)
    assert bool(((picks.scores > 0) & (picks.scores <= 1)).all())
    assert pick("transfer_importance", make_pool(), 60).scores.tolist() == [1.0] * 60


def test_foreign_classes_and_an_empty_source_are_refused():
    pool = make_pool()
    foreign = replace(pool.source, targets=pool.source.targets + 2)
    with pytest.raises(ValueError, match="reach from 2 to 5"):
        pick("transfer_importance", replace(pool, source=foreign))
    empty = replace(pool.source, embeddings=pool.source.embeddings[:0], targets=pool.source.targets[:0], layers=())
    with pytest.raises(ValueError, match="no source image"):
        pick("transfer_importance", replace(pool, source=empty))


def test_source_classes_may_be_of_any_integer_type():
    pool = make_pool()
    short = replace(pool, source=replace(pool.source, targets=pool.source.targets.int()))
    assert torch.equal(pick("transfer_importance", short).rows, pick("transfer_importance", pool).rows)
