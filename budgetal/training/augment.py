"""Random crops and mirror images of whole batches, drawn from a generator."""

import torch
from torch import Tensor


def random_crop_flip(images: Tensor, rng: torch.Generator, *, pad: int, flip: bool) -> Tensor:
    """Shift each image (n, h, w, c) by up to `pad` pixels and mirror half of them when `flip`.

    What a shift uncovers is filled by reflection. One gather over the batch, any dtype.
    """
    n, height, width, _ = images.shape
    rows = _shifted(n, height, pad, rng)
    columns = _shifted(n, width, pad, rng)
    if flip:
        mirrored = torch.rand(n, generator=rng) < 0.5
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    return images[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _shifted(n: int, size: int, pad: int, rng: torch.Generator) -> Tensor:
    """Source positions (n, size) of a random shift of each of n lines, reflected at both ends."""
    pad = min(pad, size - 1)
    shift = torch.randint(-pad, pad + 1, (n, 1), generator=rng)
    positions = (torch.arange(size) + shift).abs()
    return (size - 1) - ((size - 1) - positions).abs()
