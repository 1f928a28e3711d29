"""Images become network inputs: scaled, normalised, resized, channels last."""

import numpy as np
import pytest
import torch
from PIL import Image

from budgetal.models.preprocess import to_input

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)


def random_images(n=2, side=16):
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


def test_values_are_scaled_and_normalised_per_channel():
    images = random_images()
    expected = ((images / 255 - MEAN) / STD).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(to_input(images, 16, MEAN, STD).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("side", [8, 40])
def test_resizing_agrees_with_pillow_to_one_level(side):
    images = random_images()
    pillow = np.stack([Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR) for image in images])
    ours = to_input(images, side, (0, 0, 0), (1, 1, 1)).permute(0, 2, 3, 1).numpy() * 255
    assert np.abs(ours - pillow).max() <= 1.01


def test_memory_is_channels_last():
    assert to_input(random_images(), 32, MEAN, STD).is_contiguous(memory_format=torch.channels_last)


def test_a_read_only_memory_map_is_neither_changed_nor_warned_about(tmp_path, recwarn):
    images = random_images()
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    to_input(mapped, 16, MEAN, STD)
    np.testing.assert_array_equal(mapped, images)
    assert not recwarn


@pytest.mark.parametrize(
    "images", [np.zeros((2, 8, 8, 3), np.float32), np.zeros((8, 8, 3), np.uint8), np.zeros((2, 8, 8), np.uint8)]
)
def test_other_types_and_shapes_are_refused(images):
    with pytest.raises(ValueError, match="uint8"):
        to_input(images, 8, MEAN, STD)
