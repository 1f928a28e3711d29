"""The k best rows by score."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite


def top_k(scores: Float[Tensor, " n"], k: int, id_ranks: Int[Tensor, " n"] | None = None) -> Int[Tensor, " k"]:
    """Rows of the min(k, n) highest scores, best first.

    Ties go to the lowest id rank or, without id ranks, to the lowest row.
    Raises ValueError for a score that is NaN or infinite, and for k < 0.
    """
    if k < 0:
        raise ValueError(f"k must be at least 0, but is {k}")
    checked = finite(scores, "scores")
    if id_ranks is None:
        return torch.argsort(checked, descending=True, stable=True)[:k]
    by_id = torch.argsort(id_ranks)
    return by_id[torch.argsort(checked[by_id], descending=True, stable=True)[:k]]
