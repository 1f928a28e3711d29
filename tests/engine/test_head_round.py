"""The penalty of the last layer: the usual one, or as much more as labels that the head has not seen demand."""

import numpy as np
import pytest

from budgetal.engine.head_round import STRONGER, default_l2, fit_calibrated_head
from budgetal.training.head import fit_head, standardisation
from budgetal.types import TrainingSet

N_CLASSES, N_FEATURES, N = 4, 60, 240


def _collection(share_wrong, seed=0, n=N):
    """Features of classes that a line parts, their true classes, and labels of which so many are wrong."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(N_CLASSES, N_FEATURES))
    true = rng.integers(0, N_CLASSES, n)
    features = (centres[true] + 0.8 * rng.normal(size=(n, N_FEATURES))).astype(np.float32)
    is_wrong = rng.random(n) < share_wrong
    return features, true, np.where(is_wrong, (true + rng.integers(1, N_CLASSES, n)) % N_CLASSES, true)


def _fitted(share_wrong, seed=0, l2=None):
    """The head, and its share of right answers on images that it did not see."""
    features, _, labels = _collection(share_wrong, seed)
    mean, std = standardisation(features)
    given = TrainingSet(np.arange(N), labels, np.ones(N, np.float32), N, N_CLASSES)
    rng = np.random.default_rng(seed)
    head, _, _ = fit_calibrated_head(features, given, mean, std, rng=rng, on_epoch=lambda _: None, l2=l2)
    others, true, _ = _collection(0, seed + 1000, 2_000)
    return head, float((head.logits(others).argmax(axis=1) == true).mean())


def test_where_many_labels_are_wrong_the_head_follows_them_less():
    gained = [_fitted(0.35, seed)[1] - _fitted(0.35, seed, l2=default_l2(N))[1] for seed in range(5)]
    assert np.mean(gained) > 0.02
    assert min(gained) > -0.01


@pytest.mark.parametrize("seed", range(3))
def test_where_labels_are_right_it_is_the_usual_one(seed):
    free, usual = _fitted(0, seed)[0], _fitted(0, seed, l2=default_l2(N))[0]
    assert free.weight == pytest.approx(usual.weight)


def test_it_is_never_more_than_the_strongest():
    features, _, labels = _collection(0.9)
    head = _fitted(0.9)[0]
    mean, std = standardisation(features)
    strongest, _ = fit_head(
        features, labels, np.ones(N, np.float32), N_CLASSES, l2=STRONGER[-1] * default_l2(N), mean=mean, std=std
    )
    assert np.linalg.norm(head.weight) >= np.linalg.norm(strongest.weight) * 0.999


def test_a_penalty_that_is_given_is_kept():
    weak, strong = (_fitted(0.35, l2=l2)[0] for l2 in (default_l2(N), 16 * default_l2(N)))
    assert np.linalg.norm(strong.weight) < np.linalg.norm(weak.weight)
