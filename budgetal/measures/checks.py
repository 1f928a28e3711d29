"""Refuses what is no number, no probability or no unit vector; repairs nothing but the float type."""

import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.measures.chunks import cached_row_blocks


def finite(values: Float[Tensor, "*shape"], what: str) -> Float[Tensor, "*shape"]:
    """`values` as float32. Raises ValueError naming the first value that is NaN or infinite in float32."""
    single = values.float()
    # The extremes of an array with NaN are NaN; unlike a mask, they take no memory.
    if single.numel() and not bool(torch.isfinite(torch.stack(single.aminmax())).all()):
        place = tuple(int(index) for index in torch.nonzero(~torch.isfinite(single))[0])
        raise ValueError(f"{what} must be finite, but holds {values[place].item()} at {place}")
    return single


def probabilities(probs: Float[Tensor, "*rows classes"]) -> Float[Tensor, "*rows classes"]:
    """`probs` as float32.

    Raises ValueError for fewer than two classes, for values outside [0, 1] and for rows that do not
    sum to 1 within the precision of the type that came in (a half-precision softmax is accepted).
    """
    if probs.shape[-1] < 2:
        raise ValueError(f"probs needs at least two classes, but has {probs.shape[-1]}")
    slack = max(1e-3, torch.finfo(probs.dtype).eps)
    least, off = _extremes(probs.reshape(-1, probs.shape[-1]))
    if least >= 0 and off <= slack:  # so each is finite and at most 1 + slack
        return probs.float()
    if finite(probs, "probs").max() > 1 + slack or least < 0:
        raise ValueError("probs must lie in [0, 1]: pass a softmax's output, not logits")
    raise ValueError(f"Each row of probs must sum to 1, but one is off by {off:.3g}")


def unit_vectors(embeddings: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """`embeddings` as float32. Raises ValueError when a row is longer than 1 (a zero row may stay)."""
    longest = _longest(embeddings)
    if longest <= 1.01:  # so each value is finite
        return embeddings.float()
    finite(embeddings, "embeddings")
    raise ValueError(f"embeddings must be L2-normalised, but a row has length {longest:.3g}")


# Both read every value once, a block at a time, and wait for the device once. NaN passes through to the end.


def _extremes(probs: Float[Tensor, "n classes"]) -> tuple[float, float]:
    """The least value, or 0 where none is negative, and the largest distance of a row's sum from 1."""
    least, off = torch.zeros(2, device=probs.device)
    for block in cached_row_blocks(len(probs), probs.shape[1], probs.device):
        rows = probs[block].float()
        least = torch.minimum(least, rows.min())
        off = torch.maximum(off, (rows.sum(dim=1) - 1).abs().max())
    return least.item(), off.item()


def _longest(rows: Float[Tensor, "n d"]) -> float:
    longest = torch.zeros((), device=rows.device)
    for block in cached_row_blocks(len(rows), rows.shape[1], rows.device):
        longest = torch.maximum(longest, torch.linalg.vector_norm(rows[block].float(), dim=1).max())
    return longest.item()
