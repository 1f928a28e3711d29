"""Rows that stand for a pool too large to look at whole."""

import torch
from jaxtyping import Int
from torch import Tensor


def spread_rows(n: int, most: int, device: torch.device) -> Int[Tensor, " k"]:
    """min(n, most) rows of 0 … n - 1, evenly spaced.

    Sample ids are hashes of the images, so that rows in the order of ids are in random order: these are a sample.
    """
    return torch.linspace(0, n - 1, min(n, most), dtype=torch.float64).long().to(device)
