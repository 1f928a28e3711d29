"""Folded normalisation layers: found, measured, and the same function as before."""

import numpy as np
import torch
from tiny import tiny_images
from torch import nn

from budgetal.models.backbones import build_classifier
from budgetal.models.classifier import Classifier, Normalisation
from budgetal.models.unfolding import folded_norms, unfold

AS_IT_IS = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
SIDE = 32


def images_of(pixels, n=32):
    return torch.from_numpy(pixels.read(np.arange(n))).permute(0, 3, 1, 2).float() / 255


def folded_network(*, epsilon=1e-5):
    """Two convolutions whose normalisation is in their weights; what is left of it is the identity."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3),
            nn.BatchNorm2d(8, epsilon),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3),
            nn.BatchNorm2d(16, epsilon),
            nn.AdaptiveAvgPool2d(1),
        )
        for module in backbone.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.data *= 30
                module.bias.data += 5
            if isinstance(module, nn.BatchNorm2d):
                module.running_var.fill_(1 - epsilon)
        return Classifier(backbone, nn.Linear(16, 2), AS_IT_IS).eval()


def test_the_function_stays_and_batches_now_change_it_little():
    pixels, _ = tiny_images(64)
    network, images = folded_network(), images_of(pixels)
    with torch.no_grad():
        before, by_batch = network(images), network.train()(images)
        network = folded_network()
        assert unfold(network, [network], pixels, SIDE) == 2
        assert not network.training
        after = network(images)
        batch_after = network.train()(images)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-3)
    lost = (by_batch - before).abs().max()
    assert (batch_after - before).abs().max() < 0.2 * lost


def test_layers_with_statistics_of_their_own_are_left_alone():
    pixels, _ = tiny_images(16)
    network = build_classifier("embedded", "embedded", 2, np.random.default_rng(0))
    given = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert unfold(network, [network], pixels, 32) == 0
    assert all(torch.equal(tensor, given[name]) for name, tensor in network.state_dict().items())


def test_what_was_unfolded_is_folded_no_more():
    pixels, _ = tiny_images(64)
    network = folded_network(epsilon=1e-3)
    assert len(list(folded_norms(network))) == 2
    unfold(network, [network], pixels, SIDE)
    assert list(folded_norms(network)) == []
    assert unfold(network, [network], pixels, SIDE) == 0
