"""Exact nearest neighbours by inner product, in blocks, on whatever device the vectors are."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite
from budgetal.measures.chunks import row_blocks


def knn(
    vectors: Float[Tensor, "n d"], k: int, among: Int[Tensor, " r"] | None = None
) -> tuple[Float[Tensor, "n neighbours"], Int[Tensor, "n neighbours"]]:
    """Inner products with, and rows of, the k nearest other vectors, nearest first.

    A row is not its own neighbour; its duplicates are. `among`, r different rows, restricts who may be a
    neighbour. Where k ≥ r, k becomes r - 1, which every row has. O(n r d) time in matrix
    products, O(n k) memory. Raises ValueError for k < 1 or values that are not finite.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, but is {k}")
    checked = finite(vectors, "vectors")
    n = len(checked)
    if n == 0:
        return checked.new_zeros(0, 0), torch.zeros(0, 0, dtype=torch.int64, device=checked.device)
    rows = torch.arange(n, device=checked.device) if among is None else among
    few = min(k, len(rows) - 1)
    found = [_nearest(checked, block, rows, few) for block in row_blocks(n, len(rows))]
    return torch.cat([values for values, _ in found]), torch.cat([rows for _, rows in found])


def _nearest(vectors: Tensor, block: slice, among: Tensor, k: int) -> tuple[Tensor, Tensor]:
    products = vectors[block] @ vectors[among].T
    own = torch.nonzero((among >= block.start) & (among < block.stop))[:, 0]
    products[among[own] - block.start, own] = -torch.inf
    values, places = products.topk(k, dim=1)
    return values, among[places]
