"""FixMatch's and FlexMatch's losses by hand; what a term sees and remembers."""

import math

import numpy as np
import pytest
import torch
from tiny import tiny_images

from budgetal.models.backbones import build_classifier
from budgetal.training.consistency import THRESHOLD, consistency_loss, consistency_term, flexible_thresholds
from budgetal.training.distort import StrongDistortion


def logits(*probs):
    return torch.tensor(probs).log()


def test_only_sure_answers_teach_and_count_in_the_mean():
    weak = logits([0.96, 0.04], [0.9, 0.1], [0.02, 0.98])
    strong = logits([0.5, 0.5], [0.5, 0.5], [0.75, 0.25])
    loss = consistency_loss(weak, strong, torch.full((2,), 0.95))
    assert loss.item() == pytest.approx((math.log(2) + 0 + math.log(4)) / 3, rel=1e-5)


def test_the_answer_itself_does_not_learn():
    weak, strong = logits([0.99, 0.01]).requires_grad_(), logits([0.5, 0.5]).requires_grad_()
    consistency_loss(weak, strong, torch.full((2,), 0.95)).backward()
    assert weak.grad is None
    # The gradient of a cross-entropy: p - one-hot.
    torch.testing.assert_close(strong.grad, torch.tensor([[-0.5, 0.5]]))


def test_no_sure_answer_no_loss():
    assert consistency_loss(logits([0.6, 0.4]), logits([0.1, 0.9]), torch.full((2,), 0.95)).item() == 0


def test_flexible_thresholds_are_those_of_the_paper():
    # Five of class 0, two of class 1, none of 2; one unknown: beta = 1, 0.4, 0.
    answers = torch.tensor([0, 0, 0, 0, 0, 1, 1, -1])
    torch.testing.assert_close(flexible_thresholds(answers, 3, 0.8), torch.tensor([0.8, 0.8 * 0.4 / 1.6, 0.0]))


def test_while_most_are_unknown_every_threshold_is_low():
    answers = torch.tensor([0, 0, 1, -1, -1, -1, -1, -1, -1, -1])
    thresholds = flexible_thresholds(answers, 2, 0.95)
    torch.testing.assert_close(thresholds, 0.95 * torch.tensor([2 / 7 / (2 - 2 / 7), 1 / 7 / (2 - 1 / 7)]))


@pytest.fixture
def network():
    return build_classifier("embedded", "embedded", 3, np.random.default_rng(0))


def term(flexible=False, n=20):
    return consistency_term(tiny_images(n)[0], 32, mirror=True, n_classes=3, flexible=flexible)


def test_an_epoch_sees_every_image_of_the_pool_and_each_twice(network):
    images = term()
    assert images.n_steps == 1
    drawn = images.draw(3, np.random.default_rng(0))
    assert np.bincount(np.concatenate(drawn)).tolist() == [3] * 20
    loaded = images.load(drawn[0], network, torch.Generator().manual_seed(0))
    assert loaded.shape == (2 * len(drawn[0]), 3, 32, 32)
    assert not torch.equal(*loaded.chunk(2))


def test_flexmatch_remembers_sure_answers_and_fixmatch_none():
    drawn = np.array([4, 7])
    both = logits([0.98, 0.01, 0.01], [0.5, 0.3, 0.2], [1 / 3] * 3, [1 / 3] * 3)
    for flexible, remembered in ((True, 1), (False, 0)):
        images = term(flexible)
        images.loss(drawn, torch.zeros(4, 1), both)
        answers = images.state.get_buffer("answers")
        assert int((answers >= 0).sum()) == remembered
        assert not flexible or answers[4] == 0
    assert THRESHOLD == 0.95


@pytest.mark.parametrize("mirror", [True, False])
def test_a_strong_distortion_changes_every_image_and_repeats_for_a_seed(mirror):
    images = torch.from_numpy(tiny_images(6)[0].images)
    one, other = (StrongDistortion(mirror)(images, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one, other)
    assert one.shape == images.shape
    assert one.dtype == torch.uint8
    assert (one != images).flatten(1).any(dim=1).all()
