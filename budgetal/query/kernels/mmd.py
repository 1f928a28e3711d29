"""Picks that make what is labelled distributed like a target.

The kernel is positive: each pick crowds every other row, by no less than the kernel at the greatest
distance there can be. A few thousand rows of highest score are kept up to date; all are scored again, with
all picks since then in one matrix product, when one of the others could be the best.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import row_blocks
from budgetal.query.kernels.rbf import rbf
from budgetal.query.kernels.rounding import squared_lengths

_ACTIVE_ROWS = 4096


def greedy_mmd(
    candidates: Float[Tensor, "n d"],
    chosen: Float[Tensor, "c d"],
    targets: Float[Tensor, "u d"],
    bonus: Float[Tensor, " n"],
    bandwidth: float,
    k: int,
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """Pick k rows, each minimising MMD²(A, T) - Σ_{i ∈ A} bonus_i / |A|, A = chosen and picks, T = targets.

    MMD²(A, T) = mean_AA k - 2 mean_AT k + mean_TT k, the squared maximum mean discrepancy (Gretton et al.,
    JMLR 2012) with the Gaussian kernel, whose k(x, x) = 1. With |A| = a before the pick this is the largest
    2 (mean_T k(x, ·) - Σ_A k(x, ·) / (a + 1)) + bonus_x: kernel herding (Chen, Welling & Smola, UAI 2010).
    Returns rows and these scores. Ties go to the lowest row. O(n d (u + c + k)) time, O(n) memory beside
    blocks. Raises ValueError without a target and for k not in 0 … n.
    """
    if not 0 <= k <= len(candidates):
        raise ValueError(f"k must be in 0 … {len(candidates)}, but is {k}")
    if len(targets) == 0:
        raise ValueError("There are no target images to resemble: give at least one")
    worth = 2 * kernel_sum(candidates, targets, bandwidth) / len(targets) + bonus
    crowd = kernel_sum(candidates, chosen, bandwidth)
    search = _Search(candidates, worth, crowd, len(chosen) + 1, bandwidth)
    picks = [search.pick() for _ in range(k)]
    rows = torch.tensor([row for row, _ in picks], dtype=torch.int64, device=worth.device)
    return rows, worth.new_tensor([score for _, score in picks])


def kernel_sum(vectors: Float[Tensor, "n d"], others: Float[Tensor, "r d"], bandwidth: float) -> Float[Tensor, " n"]:
    """Σ_j k(x_i, y_j) of the Gaussian kernel, for every row; 0 where there are no others. O(n r d) in blocks."""
    result = vectors.new_zeros(len(vectors))
    for block in row_blocks(len(vectors), len(others)):
        result[block] = rbf(vectors[block], others, bandwidth).sum(dim=1)
    return result


class _Search:
    """Rows score `worth` - 2 `crowd` / `size`; `crowd` lacks the pending picks, except among the active rows."""

    def __init__(self, candidates: Tensor, worth: Tensor, crowd: Tensor, size: int, bandwidth: float) -> None:
        self._candidates, self._worth, self._crowd = candidates, worth, crowd
        self._size, self._bandwidth = size, bandwidth
        longest = float(squared_lengths(candidates).max()) if len(candidates) else 0.0
        self._least_kernel = 0.999 * math.exp(-2 * longest / bandwidth**2)
        self._pending: list[int] = []
        self._activate()

    def pick(self) -> tuple[int, float]:
        scores = self._active_worth - self._active_crowd * (2 / self._size)
        if self._pending and float(scores.max()) <= self._bound():  # an equal one may be in a lower row
            self._activate()
            scores = self._active_worth - self._active_crowd * (2 / self._size)
        place = int(scores.argmax())
        row = int(self._active[place])
        self._worth[row] = self._active_worth[place] = -torch.inf
        self._active_crowd += kernel_sum(self._active_rows, self._candidates[row : row + 1], self._bandwidth)
        self._pending.append(row)
        self._size += 1
        return row, float(scores[place])

    def _bound(self) -> float:
        """No row that is not active scores more."""
        crowd = self._crowd + len(self._pending) * self._least_kernel
        return float((self._others_worth - crowd * (2 / self._size)).max())

    def _activate(self) -> None:
        """Score all rows; the best become active."""
        self._crowd += kernel_sum(self._candidates, self._candidates[self._pending], self._bandwidth)
        self._pending = []
        scores = self._worth - self._crowd * (2 / self._size)
        best = torch.argsort(scores, descending=True, stable=True)[:_ACTIVE_ROWS]
        self._active = best.sort().values
        self._active_rows = self._candidates[self._active]
        self._active_worth, self._active_crowd = self._worth[self._active], self._crowd[self._active]
        self._others_worth = self._worth.index_fill(0, self._active, -torch.inf)
