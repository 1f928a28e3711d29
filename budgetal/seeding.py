"""Every generator comes from (root seed, round, purpose), so the same seed gives the same run."""

import zlib

import numpy as np
import torch


def generator(seed: int, round: int, purpose: str) -> np.random.Generator:
    """Independent NumPy generator for one purpose of one round.

    The purpose enters through CRC-32, which, unlike `hash`, is the same in every process.
    """
    key = zlib.crc32(purpose.encode())
    return np.random.default_rng(np.random.SeedSequence([seed, round, key]))


def torch_generator(rng: np.random.Generator, device: str = "cpu") -> torch.Generator:
    """Torch generator seeded from (and advancing) `rng`."""
    return torch.Generator(device).manual_seed(int(rng.integers(2**62)))
