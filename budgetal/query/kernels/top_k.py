"""The k best rows by score, without sorting the others."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite


def top_k(scores: Float[Tensor, " n"], k: int, id_ranks: Int[Tensor, " n"] | None = None) -> Int[Tensor, " k"]:
    """Rows of the min(k, n) highest scores, best first.

    Ties go to the lowest id rank or, without id ranks, to the lowest row. O(n + k log k) without id ranks.
    Raises ValueError for a score that is NaN or infinite, and for k < 0.
    """
    if k < 0:
        raise ValueError(f"k must be at least 0, but is {k}")
    checked = finite(scores, "scores")
    if id_ranks is None:
        return highest(checked, k)
    by_id = torch.argsort(id_ranks)
    return by_id[highest(checked[by_id], k)]


def highest(values: Float[Tensor, " n"], k: int) -> Int[Tensor, " k"]:
    """Rows of the min(k, n) highest values, highest first, ties to the lowest row; they may be infinite."""
    few = min(k, len(values))
    if few == 0:
        return torch.zeros(0, dtype=torch.int64, device=values.device)
    last = values.topk(few).values[-1]  # topk alone breaks ties as it likes
    above = torch.nonzero(values > last)[:, 0]
    tied = torch.nonzero(values == last)[: few - len(above), 0]
    return torch.cat([above[torch.argsort(values[above], descending=True, stable=True)], tied])
