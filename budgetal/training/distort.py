"""Stronger distortions of whole batches, for a student that learns from soft labels of the plain images."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from budgetal.training.augment import random_crop_flip

# Of an image's side: four pixels of 32, and a square of eight, as is usual for CIFAR.
CROP_SHARE = 0.125
CUT_SHARE = 0.25
DEGREES = 15.0
SCALE = 0.15
SHEAR = 0.2
SHIFT = 0.1
# Of strong distortions: the most that may be cut out, the change of light, and of characters how far the nodes of a
# grid move, the image's half side being 1.
STRONG_CUT_SHARE = 0.5
LIGHT = 0.5
BEND_GRID = 5
BEND = 0.1


@dataclass(frozen=True)
class Distortion:
    """What may happen to an image. mirror: whether its mirror image shows the same class.

    Where it does, images are photographs as a rule: shift, mirror, cut a square out (DeVries & Taylor 2017). Where it
    does not they are characters: turn, scale, shear and shift (Simard et al., ICDAR 2003, without their bending).
    """

    mirror: bool

    def __call__(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Images uint8 (n, h, w, c) to distorted ones of the same shape."""
        if not self.mirror:
            return random_affine(images, rng)
        side = images.shape[1]
        moved = random_crop_flip(images, rng, pad=round(CROP_SHARE * side), flip=True)
        return cut_out(moved, rng, size=round(CUT_SHARE * side))


@dataclass(frozen=True)
class StrongDistortion:
    """What FixMatch does to an image that must still be recognised. mirror: whether images are photographs, as above.

    Photographs are turned, sheared and shifted, made lighter, darker, harder or softer, and lose a square of up to half
    their side. Characters are turned and bent (Simard et al. 2003). After RandAugment and cutout in Sohn et al. 2020.
    """

    mirror: bool

    def __call__(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Images uint8 (n, h, w, c) to distorted ones of the same shape."""
        moved = random_affine(images, rng)
        if not self.mirror:
            return random_bend(moved, rng)
        size = int(torch.randint(1, max(2, round(STRONG_CUT_SHARE * images.shape[1])) + 1, (1,), generator=rng))
        return cut_out(random_light(moved, rng), rng, size=size)


def random_light(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image (n, h, w, c) with its contrast times 0.5 to 1.5 and its brightness up to a quarter up or down."""
    contrast = 1 + _uniform(len(images), LIGHT, rng)
    brightness = _uniform(len(images), LIGHT / 2, rng) * 255
    pixels = images.float()
    middle = pixels.mean(dim=(1, 2, 3), keepdim=True)
    lit = middle + contrast.view(-1, 1, 1, 1) * (pixels - middle) + brightness.view(-1, 1, 1, 1)
    return lit.round().clamp(0, 255).to(images.dtype)


def random_bend(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image (n, h, w, c) bent: a smooth field moves its pixels by up to an eighth of its side or so.

    Simard, Steinkraus & Platt (ICDAR 2003) smooth noise with a Gaussian; here a coarse grid of noise is interpolated.
    """
    n, height, width, _ = images.shape
    coarse = torch.randn((n, 2, BEND_GRID, BEND_GRID), generator=rng) * BEND
    field = F.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=True)
    plain = F.affine_grid(torch.eye(2, 3).expand(n, 2, 3), [n, 1, height, width], align_corners=False)
    pixels = images.permute(0, 3, 1, 2).float()
    bent = F.grid_sample(pixels, plain + field.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
    return bent.round().clamp(0, 255).to(images.dtype).permute(0, 2, 3, 1)


def cut_out(images: Tensor, rng: torch.Generator, *, size: int) -> Tensor:
    """A square of `size` pixels of each image (n, h, w, c) at mid-grey, anywhere, partly outside too."""
    n, height, width, _ = images.shape
    rows = _covered(n, height, size, rng)
    columns = _covered(n, width, size, rng)
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[..., None], 128)


def _covered(n: int, length: int, size: int, rng: torch.Generator) -> Tensor:
    """Which of `length` lines (n, length) a random square covers."""
    first = torch.randint(-size // 2, length - size // 2 + 1, (n, 1), generator=rng)
    lines = torch.arange(length)
    return (lines >= first) & (lines < first + size)


def random_affine(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image (n, h, w, c) turned by up to 15 degrees, scaled and sheared, shifted by up to a tenth of its side.

    What comes in from outside repeats the image's border.
    """
    pixels = images.permute(0, 3, 1, 2).float()
    grid = F.affine_grid(_matrices(len(images), rng), list(pixels.shape), align_corners=False)
    moved = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.round().clamp(0, 255).to(images.dtype).permute(0, 2, 3, 1)


def _matrices(n: int, rng: torch.Generator) -> Tensor:
    """Random affine maps (n, 2, 3) from where a pixel goes to where it comes from, the image's half side being 1."""
    angle = _uniform(n, math.radians(DEGREES), rng)
    scale = 1 + _uniform(n, SCALE, rng)
    shear, right, down = (_uniform(n, most, rng) for most in (SHEAR, 2 * SHIFT, 2 * SHIFT))
    cosine, sine = scale * angle.cos(), scale * angle.sin()
    first = torch.stack([cosine, shear * cosine - sine, right], dim=1)
    second = torch.stack([sine, shear * sine + cosine, down], dim=1)
    return torch.stack([first, second], dim=1)


def _uniform(n: int, most: float, rng: torch.Generator) -> Tensor:
    return (2 * torch.rand(n, generator=rng) - 1) * most
