"""The strategy's labels against random ones, on the same images."""

import numpy as np
import pytest

from budgetal.engine.comparison import Labelled, Standard, against_random


@pytest.fixture
def clusters():
    """300 images of three classes, well apart in eight features."""
    rng = np.random.default_rng(0)
    targets = np.arange(300) % 3
    features = rng.standard_normal((300, 8)).astype(np.float32)
    features[np.arange(300), targets] += 4
    return Labelled(features, targets)


STANDARD = Standard(np.zeros(8, np.float32), np.ones(8, np.float32), 3)


def accuracies(given, chosen, audit):
    strategy, random, n_random = against_random(given, chosen, audit, STANDARD, np.random.default_rng(1))
    return strategy.mean(), random.mean(), n_random


def split(images, n_audit=100):
    rows = np.arange(len(images))
    return images.part(rows[:n_audit]), images.part(rows[n_audit:])


def test_labels_of_one_class_lose_to_random_ones(clusters):
    audit, rest = split(clusters)
    one_class = rest.part(rest.targets == 0).part(np.arange(30))
    strategy, random, n_random = accuracies(rest.part(np.arange(0)), one_class, audit)
    assert n_random == 30
    assert strategy < 0.5 < 0.9 < random


def test_random_labels_are_as_good_as_random_labels(clusters):
    audit, rest = split(clusters)
    strategy, random, _ = accuracies(rest.part(np.arange(0)), rest.part(np.arange(60)), audit)
    assert strategy == pytest.approx(random, abs=0.05)


def test_of_a_small_audit_all_other_folds_are_the_random_labels(clusters):
    audit, rest = split(clusters, n_audit=52)
    assert accuracies(rest.part(np.arange(0)), rest, audit)[2] == 40


def test_labels_given_at_the_start_help_both(clusters):
    audit, rest = split(clusters)
    given, chosen = rest.part(np.arange(100)), rest.part(np.arange(100, 103))
    strategy, random, n_random = accuracies(given, chosen, audit)
    assert n_random == 3
    assert min(strategy, random) > 0.9
