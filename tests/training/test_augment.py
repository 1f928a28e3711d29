"""Crops and mirror images move pixels and invent none."""

import numpy as np
import torch

from budgetal.training.augment import random_crop_flip


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(n=64, side=6):
    return torch.arange(n * side * side).reshape(n, side, side, 1).expand(-1, -1, -1, 3)


def candidates(image, pad):
    """Every shifted and mirrored version of one image (side, side, 3)."""
    side = len(image)
    padded = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")
    for top in range(2 * pad + 1):
        for left in range(2 * pad + 1):
            crop = padded[top : top + side, left : left + side]
            yield crop.tobytes()
            yield crop[:, ::-1].tobytes()


def test_every_result_is_a_shifted_or_mirrored_original():
    images = numbered()
    for before, after in zip(images, random_crop_flip(images, generator(), pad=2, flip=True), strict=True):
        assert after.numpy().tobytes() in set(candidates(before.numpy(), 2))


def test_all_shifts_and_mirrors_occur():
    images = numbered(1).expand(2000, -1, -1, -1)
    found = {image.numpy().tobytes() for image in random_crop_flip(images, generator(), pad=1, flip=True)}
    assert found == set(candidates(images[0].numpy(), 1))


def test_without_pad_and_flip_nothing_changes():
    assert torch.equal(random_crop_flip(numbered(), generator(), pad=0, flip=False), numbered())


def test_the_generator_decides():
    first, same, other = (random_crop_flip(numbered(), generator(s), pad=2, flip=True) for s in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_pad_as_large_as_the_image_is_cut():
    assert random_crop_flip(numbered(side=2), generator(), pad=9, flip=True).shape == (64, 2, 2, 3)
