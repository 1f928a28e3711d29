"""Draws without replacement, each row by its weight, and how likely each was."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite


def weighted_sample(
    weights: Float[Tensor, " n"], k: int, rng: np.random.Generator
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """k rows drawn one after the other, each time by weight among those left, and their probabilities.

    The k largest of log w_i + G_i, G_i Gumbel noise (Vieira 2014; Kool, van Hoof & Welling, ICML 2019).
    Given κ, the largest that was not drawn, row i is drawn with probability
    π_i = P(log w_i + G_i > κ) = 1 - exp(-w_i e^-κ), and Σ_drawn y_i / π_i is an unbiased estimate of Σ y_i.
    The first rows do not depend on k; π does. Raises ValueError for weights that are not positive
    and k not in 0 … n.
    """
    if not 0 <= k <= len(weights):
        raise ValueError(f"k must be in 0 … {len(weights)}, but is {k}")
    if bool((finite(weights, "weights") <= 0).any()):
        raise ValueError(f"weights must be positive, but the least is {weights.min().item():.3g}")
    logs = weights.double().log()
    keys = logs + torch.from_numpy(rng.gumbel(size=len(weights))).to(logs)
    order = torch.argsort(keys, descending=True, stable=True)
    threshold = keys[order[k]] if k < len(keys) else keys.new_tensor(-torch.inf)
    rows = order[:k]
    return rows, -torch.expm1(-torch.exp(logs[rows] - threshold)).float()
