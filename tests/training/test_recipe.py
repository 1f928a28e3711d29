"""Rates, orders and averages of a recipe, by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from budgetal.training.recipe import (
    PRESETS,
    Recipe,
    balanced_order,
    follow,
    has_stalled,
    parameter_groups,
    rate_factors,
    recipe_of,
)
from budgetal.training.start import starting_weights
from budgetal.types import EpochRecord

PLAIN = Recipe(epochs=4, learning_rate=0.1, batch=8)


def test_the_papers_preset_is_the_papers():
    paper = PRESETS["paper"]
    assert paper == Recipe(epochs=15, learning_rate=0.05, batch=32)
    assert (rate_factors(paper, 3, 5) == 1).all()


def test_what_is_given_takes_the_presets_place():
    recipe = recipe_of("small", 3, None, None)
    assert (recipe.epochs, recipe.learning_rate) == (3, PRESETS["small"].learning_rate)


def test_the_rate_rises_through_the_warm_up_and_falls_as_a_cosine():
    recipe = Recipe(epochs=2, learning_rate=1, batch=1, warm_up=0.25, cosine=True)
    factors = np.concatenate([rate_factors(recipe, epoch, 2) for epoch in range(2)])
    progress = np.array([1, 3, 5, 7]) / 8
    expected = np.minimum(1, progress / 0.25) * (1 + np.cos(np.pi * progress)) / 2
    np.testing.assert_allclose(factors, expected)
    assert factors[0] < factors[1] > factors[2] > factors[3]


def test_rates_grow_geometrically_from_the_first_layer_to_the_last():
    parameters = [nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2, 2))]
    recipe = Recipe(epochs=1, learning_rate=1.0, batch=1, first_layer=0.01, weight_decay=0.5)
    groups = parameter_groups(parameters, recipe)
    assert [group["peak"] for group in groups] == pytest.approx([0.01, 0.1, 1.0])
    assert [group["weight_decay"] for group in groups] == [0.5, 0.0, 0.5]


def test_a_balanced_epoch_shows_each_class_as_often_and_no_image_twice_more_than_another():
    targets = np.array([0] * 10 + [1] * 3 + [2] * 2)
    order = balanced_order(targets, np.random.default_rng(0))
    assert np.bincount(targets[order]).tolist() == [5, 5, 5]
    times = np.bincount(order, minlength=15)
    assert times[:10].max() == 1
    assert sorted(times[10:13]) == [1, 2, 2]
    assert sorted(times[13:]) == [2, 3]


def records(*losses):
    return tuple(EpochRecord(place, loss, 0.5) for place, loss in enumerate(losses, 1))


@pytest.mark.parametrize(
    ("losses", "stalled"),
    [((1.0, 0.5), False), ((1.0, 0.5, 0.5, 0.499), True), ((1.0, 0.5, 0.5, 0.4), False), ((0.5, 0.6, 0.7), True)],
)
def test_a_loss_stalls_when_patience_epochs_gain_less_than_a_hundredth(losses, stalled):
    recipe = Recipe(epochs=9, learning_rate=1, batch=1, patience=2)
    assert has_stalled(recipe, records(*losses)) is stalled
    assert not has_stalled(PLAIN, records(*losses))


def test_an_average_follows_with_a_decay_that_grows():
    average, network = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    nn.init.zeros_(average.weight)
    network.num_batches_tracked.fill_(7)
    follow(average, network, 0.5, step=0)
    assert average.weight.item() == pytest.approx(0.9)
    follow(average, network, 0.5, step=1000)
    assert average.weight.item() == pytest.approx(0.95)
    assert average.num_batches_tracked.item() == 7


def test_shrink_and_perturb_lies_between_both_and_keeps_counts():
    first = {"weight": torch.tensor([0.0, 1.0]), "count": torch.tensor(3)}
    last = {"weight": torch.tensor([1.0, 3.0]), "count": torch.tensor(9)}
    assert torch.equal(starting_weights("restart", first, last)["weight"], first["weight"])
    assert torch.equal(starting_weights("warm", first, last)["weight"], last["weight"])
    between = starting_weights("shrink", first, last)
    torch.testing.assert_close(between["weight"], torch.tensor([0.6, 2.2]))
    assert between["count"].item() == 9


def test_a_last_layer_of_other_classes_starts_anew():
    first, last = {"weight": torch.ones(4, 2)}, {"weight": torch.zeros(3, 2)}
    assert torch.equal(starting_weights("warm", first, last)["weight"], first["weight"])
