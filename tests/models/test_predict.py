"""Embedding a pixel source equals running the network by hand, whatever the batches."""

import numpy as np
import pytest
import torch
from tiny import TinyPixels, tiny_images

from budgetal.models.backbones import build_classifier
from budgetal.models.compute import autocast
from budgetal.models.predict import embed
from budgetal.models.preprocess import to_input


@pytest.fixture(scope="module")
def classifier():
    return build_classifier("squeezenet1_1", "none", 3, np.random.default_rng(0))


def by_hand(classifier, images, flip=False):
    inputs = to_input(images, 32, classifier.normalisation.mean, classifier.normalisation.std)
    with torch.no_grad(), autocast("cpu"):
        return classifier.embed(inputs.flip(3) if flip else inputs).float().numpy()


def test_rows_are_in_order_across_batches(classifier):
    pixels, _ = tiny_images(11)
    found = embed(classifier, pixels, side=32, batch=4)
    np.testing.assert_allclose(found, by_hand(classifier, pixels.images), rtol=0.02, atol=0.01)
    assert found.dtype == np.float32


def test_two_views_are_the_mean_of_image_and_mirror_image(classifier):
    pixels, _ = tiny_images(5)
    expected = (by_hand(classifier, pixels.images) + by_hand(classifier, pixels.images, flip=True)) / 2
    np.testing.assert_array_equal(embed(classifier, pixels, side=32, views=2), expected)


def test_the_same_images_give_the_same_bits(classifier):
    pixels, _ = tiny_images(9)
    first, second = (embed(classifier, pixels, side=32, batch=4) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_progress_ends_at_the_total(classifier):
    heard = []
    embed(classifier, tiny_images(5)[0], side=32, batch=2, on_progress=lambda *now: heard.append(now))
    assert heard == [(2, 5), (4, 5), (5, 5)]


def test_no_images_give_no_rows(classifier):
    empty = TinyPixels(np.zeros((0, 32, 32, 3), np.uint8))
    assert embed(classifier, empty, side=32).shape == (0, 512)
