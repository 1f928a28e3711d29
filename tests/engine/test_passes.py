"""Several opinions of one last layer."""

import numpy as np
import pytest

from budgetal.engine.passes import bootstrapped, opinions, with_dropout
from budgetal.training.head import Head, fit_head


@pytest.fixture
def problem():
    """Two classes apart in the first of four features; features (40, 4) and targets."""
    rng = np.random.default_rng(0)
    targets = np.arange(40) % 2
    features = rng.standard_normal((40, 4)).astype(np.float32)
    features[:, 0] += 4 * targets
    return features, targets


def fitted(features, targets):
    return fit_head(features, targets, np.ones(len(targets)), 2, l2=0.1)[0]


def test_a_dropped_feature_stands_at_its_mean_and_the_others_are_scaled(problem):
    features, targets = problem
    head = fitted(features, targets)
    for dropped in with_dropout(head, 6, 0.5, np.random.default_rng(1)):
        kept = dropped.weight[0] != 0
        standardised = np.where(kept, (features - head.mean) / head.std, 0) / 0.5
        np.testing.assert_allclose(dropped.logits(features), standardised @ head.weight.T + head.bias, atol=1e-4)


def test_the_share_of_dropped_features_is_the_rate():
    head = Head(
        np.ones((3, 2000), np.float32), *(np.zeros(n, np.float32) for n in (3, 2000)), np.ones(2000, np.float32)
    )
    heads = with_dropout(head, 10, 0.25, np.random.default_rng(0))
    assert np.mean([np.mean(one.weight == 0) for one in heads]) == pytest.approx(0.25, abs=0.02)


def test_members_agree_where_labels_are_clear_and_differ_where_they_are_few(problem):
    features, targets = problem
    heads = bootstrapped(features, targets, fitted(features, targets), 12, np.random.default_rng(2))
    border = features.copy()
    border[:, 0] = 2
    clear, unclear = (opinions(heads, images, 1.0).argmax(axis=2).std(axis=0).mean() for images in (features, border))
    assert clear < 0.1 < unclear


def test_opinions_are_probabilities_of_every_head(problem):
    features, targets = problem
    head = fitted(features, targets)
    passes = opinions([head, head], features, 2.0)
    assert passes.shape == (2, 40, 2)
    np.testing.assert_array_equal(passes[0], passes[1])
    np.testing.assert_allclose(passes.astype(np.float64).sum(axis=2), 1, atol=2e-3)


def test_the_same_generator_gives_the_same_heads(problem):
    features, targets = problem
    head = fitted(features, targets)
    for make in (
        lambda seed: with_dropout(head, 3, 0.5, np.random.default_rng(seed)),
        lambda seed: bootstrapped(features, targets, head, 3, np.random.default_rng(seed)),
    ):
        first, again, other = (np.stack([one.weight for one in make(seed)]) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)
