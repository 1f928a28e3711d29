"""Refuses what is no number, no probability or no unit vector; repairs nothing but the float type."""

import torch
from jaxtyping import Float
from torch import Tensor


def finite(values: Float[Tensor, "*shape"], what: str) -> Float[Tensor, "*shape"]:
    """`values` as float32. Raises ValueError naming the first value that is NaN or infinite."""
    # The extremes of an array with NaN are NaN; unlike a mask, they take no memory.
    if values.numel() and not bool(torch.isfinite(torch.stack(values.aminmax())).all()):
        place = tuple(int(index) for index in torch.nonzero(~torch.isfinite(values))[0])
        raise ValueError(f"{what} must be finite, but holds {values[place].item()} at {place}")
    return values.float()


def probabilities(probs: Float[Tensor, "*rows classes"]) -> Float[Tensor, "*rows classes"]:
    """`probs` as float32.

    Raises ValueError for fewer than two classes, for values outside [0, 1] and for rows that do not
    sum to 1 within the precision of the type that came in (a half-precision softmax is accepted).
    """
    if probs.shape[-1] < 2:
        raise ValueError(f"probs needs at least two classes, but has {probs.shape[-1]}")
    slack = max(1e-3, torch.finfo(probs.dtype).eps)
    checked = finite(probs, "probs")
    if bool(((checked < 0) | (checked > 1 + slack)).any()):
        raise ValueError("probs must lie in [0, 1]: pass a softmax's output, not logits")
    off = (checked.sum(-1) - 1).abs()
    if bool((off > slack).any()):
        raise ValueError(f"Each row of probs must sum to 1, but one is off by {off.max().item():.3g}")
    return checked


def unit_vectors(embeddings: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """`embeddings` as float32. Raises ValueError when a row is longer than 1 (a zero row may stay)."""
    checked = finite(embeddings, "embeddings")
    longest = checked.norm(dim=1).max().item() if len(checked) else 0.0
    if longest > 1.01:
        raise ValueError(f"embeddings must be L2-normalised, but a row has length {longest:.3g}")
    return checked
