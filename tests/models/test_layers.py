"""Features of several depths, whatever the network."""

import numpy as np
import pytest
import torch
from tiny import tiny_images
from torch import nn

from budgetal.errors import ConfigError
from budgetal.models.backbones import build_classifier
from budgetal.models.classifier import Classifier, Normalisation
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


def test_a_module_that_runs_at_several_resolutions_is_listened_to_at_its_own():
    """ResNet-50's blocks use one ReLU three times, before and after the resolution changes."""
    classifier = build_classifier("resnet50", "none", 3, np.random.default_rng(0))
    pixels, _ = tiny_images(3)
    found = depths(classifier, 64)
    assert [depth.width for depth in found] == [64, 128, 256, 512, 2048]
    parts = split_by_depth(layer_features(classifier, pixels, found, side=64), found)
    assert [part.shape[1] for part in parts] == [64, 128, 256, 512, 2048]
    assert all(np.ptp(part, axis=0).max() > 0 for part in parts)


class Patches(nn.Module):
    """As a vision transformer begins: maps of one resolution, then tokens, channels last."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 5, 8, 8)
        self.mixed = nn.Linear(5, 7)

    def forward(self, images):
        tokens = self.mixed(self.patches(images).movedim(1, 3))
        return tokens.mean(dim=(1, 2))


def test_a_network_of_one_resolution_is_refused_with_what_to_do():
    network = Classifier(Patches(), nn.Linear(7, 3), Normalisation((0.5,) * 3, (0.2,) * 3)).eval()
    with pytest.raises(ConfigError, match="this network has 1: choose a convolutional backbone"):
        depths(network, 32)


def test_no_hook_stays_behind():
    classifier = build_classifier("embedded", "none", 3, np.random.default_rng(0))
    depths(classifier, 32)
    assert not any(module._forward_hooks for module in classifier.modules())
