"""Greedy k-center: always the row that is farthest from everything chosen so far."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import row_blocks


def k_center(
    vectors: Float[Tensor, "n d"], centers: Float[Tensor, "c d"], k: int
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """Pick argmax_i min_j ‖x_i - x_j‖ k times, j over `centers` and the rows picked before; exact.

    Returns the rows in order and each one's distance to the nearest center when it was picked. With
    no centers the first pick is the row nearest the mean, at distance 0. Ties go to the lowest row. A
    two-approximation of the smallest covering radius (Gonzalez 1985; Sener & Savarese, ICLR 2018).
    O(n d (c + k)) time, O(n) memory. Raises ValueError when k is not in 0 … n.
    """
    if not 0 <= k <= len(vectors):
        raise ValueError(f"k must be in 0 … {len(vectors)}, but is {k}")
    squares = vectors.square().sum(dim=1)
    nearest = _squared_distance(vectors, squares, centers)
    rows, distances = [], []
    for step in range(k):
        first = step == 0 and len(centers) == 0
        row = _nearest_to_mean(vectors, squares) if first else int(nearest.argmax())
        rows.append(row)
        distances.append(vectors.new_zeros(()) if first else nearest[row].sqrt())
        nearest = torch.minimum(nearest, _squared_distance(vectors, squares, vectors[row : row + 1]))
        nearest[rows] = -1  # never again, even where all that remains are duplicates
    return torch.tensor(rows, device=vectors.device), _stacked(distances, vectors)


def _squared_distance(vectors: Tensor, squares: Tensor, centers: Tensor) -> Tensor:
    if len(centers) == 0:
        return torch.full_like(squares, torch.inf)
    result = torch.empty_like(squares)
    center_squares = centers.square().sum(dim=1)
    for block in row_blocks(len(vectors), len(centers)):
        cross = vectors[block] @ centers.T
        result[block] = (squares[block, None] + center_squares - 2 * cross).amin(dim=1)
    return result.clamp(min=0)


def _nearest_to_mean(vectors: Tensor, squares: Tensor) -> int:
    mean = vectors.mean(dim=0, keepdim=True)
    return int(_squared_distance(vectors, squares, mean).argmin())


def _stacked(values: list[Tensor], like: Tensor) -> Tensor:
    return torch.stack(values) if values else like.new_zeros(0)
