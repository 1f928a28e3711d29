"""Features of several depths, whatever the network."""

import numpy as np
import pytest
import torch
from tiny import tiny_images

from budgetal.models.backbones import build_classifier
from budgetal.models.layers import depths, layer_features, split_by_depth
from budgetal.models.preprocess import to_input


@pytest.mark.parametrize(
    ("name", "side", "widths"), [("embedded", 32, (64, 128, 240)), ("resnet18", 64, (64, 64, 128, 256, 512))]
)
def test_one_depth_for_each_resolution_first_layers_first(name, side, widths):
    classifier = build_classifier(name, "none", 3, np.random.default_rng(0))
    assert tuple(depth.width for depth in depths(classifier, side)) == widths


def test_the_features_are_channel_means_of_the_maps_of_each_depth():
    classifier = build_classifier("embedded", "embedded", 3, np.random.default_rng(0))
    pixels, _ = tiny_images(5)
    found = depths(classifier, 32)
    parts = split_by_depth(layer_features(classifier, pixels, found, side=32, batch=2), found)
    expected = classifier.normalisation
    images = to_input(pixels.images, 32, expected.mean, expected.std)
    with torch.inference_mode():
        stem = torch.relu(classifier.backbone.stem(images))
        first = classifier.backbone.stage1(stem)
    assert [part.shape for part in parts] == [(5, 64), (5, 128), (5, 240)]
    np.testing.assert_allclose(parts[0], first.mean(dim=(2, 3)).numpy(), rtol=0.05, atol=0.02)


def test_no_hook_stays_behind():
    classifier = build_classifier("embedded", "none", 3, np.random.default_rng(0))
    depths(classifier, 32)
    assert not any(module._forward_hooks for module in classifier.modules())
