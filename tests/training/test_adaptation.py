"""Discrepancies of two samples by hand, and a term that pulls their features together."""

import math

import numpy as np
import pytest
import torch
from tiny import tiny_images, training_set

from budgetal.models.backbones import build_classifier
from budgetal.models.predict import embed
from budgetal.training.adaptation import AdaptationTerm, Source, kernel_discrepancy, mean_discrepancy
from budgetal.training.loop import finetune
from budgetal.training.recipe import Recipe


def test_the_linear_discrepancy_is_that_of_the_means():
    one, other = torch.tensor([[0.0, 0.0], [2.0, 0.0]]), torch.tensor([[1.0, 3.0]])
    assert mean_discrepancy(one, other).item() == pytest.approx(9.0)


def test_the_kernel_discrepancy_of_two_points_by_hand():
    # One pair at squared distance 4, which is the median: k = mean of exp(-1 / w), and MMD^2 = 1 + 1 - 2 k.
    k = sum(math.exp(-1 / w) for w in (0.25, 0.5, 1, 2, 4)) / 5
    found = kernel_discrepancy(torch.zeros(1, 1), torch.full((1, 1), 2.0))
    assert found.item() == pytest.approx(2 - 2 * k, rel=1e-5)


@pytest.mark.parametrize("discrepancy", [mean_discrepancy, kernel_discrepancy])
def test_it_is_0_of_the_same_sample_and_grows_with_the_shift(discrepancy):
    sample = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    values = [discrepancy(sample, sample + shift).item() for shift in (0.0, 0.5, 2.0)]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values[0] < values[1] < values[2]


def test_the_kernel_discrepancy_sees_a_spread_that_the_means_do_not():
    sample = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    sample = sample - sample.mean(dim=0)
    assert mean_discrepancy(sample, 5 * sample).item() == pytest.approx(0, abs=1e-6)
    assert kernel_discrepancy(sample, 5 * sample).item() > 0.05


def test_identical_features_give_no_nan():
    same = torch.ones(4, 2, requires_grad=True)
    loss = kernel_discrepancy(same, torch.ones(4, 2))
    loss.backward()
    assert torch.isfinite(same.grad).all()


@pytest.mark.parametrize("discrepancy", ["ddc", "mmd"])
def test_source_labels_teach_classes_that_no_label_of_the_project_shows(discrepancy):
    pool, labels = tiny_images(24)
    source, source_labels = tiny_images(24, seed=1)
    classifier = build_classifier("embedded", "embedded", 3, np.random.default_rng(0))
    known = np.flatnonzero(labels == 0)[:2]
    term = AdaptationTerm(Source(source, source_labels), pool, 32, True, discrepancy, batch=8)
    finetune(
        classifier,
        pool,
        training_set(known, labels),
        side=32,
        finetune="full",
        recipe=Recipe(epochs=6, learning_rate=0.05, batch=8),
        rng=np.random.default_rng(0),
        on_epoch=lambda record: None,
        checkpoint=None,
        term=term,
    )
    features = torch.from_numpy(embed(classifier, pool, side=32))
    predicted = classifier.head(features).argmax(dim=1).numpy()
    assert (predicted == labels).mean() >= 0.8
