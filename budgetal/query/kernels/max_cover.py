"""Rows that together are similar to as many others as possible (facility location), exactly greedy."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import cached_row_blocks
from budgetal.query.kernels.lazy_greedy import lazy_greedy

Similarity = Callable[[Float[Tensor, "a d"], Float[Tensor, "b d"]], Float[Tensor, "a b"]]

_LARGE_POOL = 32_768
_REFERENCE_ROWS = 4096
_KEPT_CELLS = 33_554_432  # 128 MiB of similarities


def max_cover(
    candidates: Float[Tensor, "n d"],
    covered: Float[Tensor, "r d"],
    chosen: Float[Tensor, "c d"],
    k: int,
    similarity: Similarity,
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """Pick argmax_i Σ_j max(0, s(i, j) - max_{s ∈ chosen ∪ picked} s(s, j)) k times; j over `covered`.

    Returns the rows in order and what each added to the sum. A negative similarity counts as 0. Within
    1 - 1/e of the best k rows (Nemhauser, Wolsey & Fisher 1978); lazy evaluation (Minoux 1978) gives the answer
    of evaluating every row after every pick. Ties go to the lowest row. Similarities are computed in blocks and kept
    only while all fit 128 MiB: O((n + a) r d) time, a the rows evaluated again, O(n + r) memory beside them. Raises
    ValueError when k is not in 0 … n.
    """
    cover = _Cover(candidates, covered, similarity)
    cover.add(chosen)
    everything = torch.arange(len(candidates), device=candidates.device)
    return lazy_greedy(cover.gains(everything), k, cover.gains, lambda row: cover.add(candidates[row : row + 1]))


def reference_size(n: int) -> int:
    """How many rows of a pool of n to cover: all up to 32,768; of more a sample of 4,096, whose cost is O(n)."""
    return n if n <= _LARGE_POOL else _REFERENCE_ROWS


class _Cover:
    """How well each covered row is covered so far."""

    def __init__(self, candidates: Tensor, covered: Tensor, similarity: Similarity) -> None:
        self._candidates, self._covered, self._similarity = candidates, covered, similarity
        self._best = covered.new_zeros(len(covered))
        fits = len(candidates) * len(covered) <= _KEPT_CELLS
        self._kept = similarity(candidates, covered) if fits else None

    def add(self, vectors: Tensor) -> None:
        for block in cached_row_blocks(len(vectors), len(self._covered), vectors.device):
            similar = self._similarity(vectors[block], self._covered)
            self._best = torch.maximum(self._best, similar.amax(dim=0))

    def gains(self, rows: Tensor) -> Tensor:
        gains = self._best.new_empty(len(rows))
        for block in cached_row_blocks(len(rows), len(self._covered), rows.device):
            gains[block] = (self._similar(rows[block]) - self._best).clamp_(min=0).sum(dim=1)
        return gains

    def _similar(self, rows: Tensor) -> Tensor:
        if self._kept is not None:
            return self._kept[rows]
        return self._similarity(self._candidates[rows], self._covered)
