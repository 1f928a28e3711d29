"""Balls of one radius around picked rows that together hold as many rows as possible, exactly greedy."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import cached_row_blocks

_CENTRES = 2048  # balls a block: as long as it is wide, a block of products is computed fastest


def ball_cover(
    candidates: Float[Tensor, "n d"],
    covered: Float[Tensor, "r d"],
    chosen: Float[Tensor, "c d"],
    k: int,
    radius: float,
) -> tuple[Int[Tensor, " k"], Int[Tensor, " k"]]:
    """Pick k times the row whose ball, ‖x_i - y_j‖ < `radius`, holds most of `covered` in no ball yet.

    Returns the rows in order and how many each covers anew. Balls around `chosen` come first. Ties go to the
    lowest row. Greedy max coverage, within 1 - 1/e of the best (Nemhauser, Wolsey & Fisher 1978). Counts are
    kept exact: what a pick covers is taken off every row that would have covered it, so each column of the graph
    of balls is computed at most twice and never stored. O(n r d) time, O(n + r) memory. Raises ValueError when k is
    not in 0 … n.
    """
    if not 0 <= k <= len(candidates):
        raise ValueError(f"k must be in 0 … {len(candidates)}, but is {k}")
    open_rows = _n_inside(covered, chosen, radius) == 0
    counts = _n_inside(candidates, covered[open_rows], radius)
    rows, gains = [], []
    for _ in range(k):
        row = int(counts.argmax())
        rows.append(row)
        gains.append(counts[row].clone())
        if int(counts[row]) > 0:
            newly = open_rows & _inside(covered, candidates[row : row + 1], radius)[:, 0]
            counts -= _n_inside(candidates, covered[newly], radius)
            open_rows &= ~newly
        counts[rows] = -1  # never again, even where nothing remains to cover
    return torch.tensor(rows, device=counts.device), torch.stack(gains) if gains else counts[:0]


def _inside(points: Tensor, centres: Tensor, radius: float) -> Tensor:
    """Which point lies in which ball: x·c - ‖c‖²/2 > (‖x‖² - radius²) / 2."""
    edge = points.square().sum(dim=1).sub_(radius**2).div_(2)
    inner = (points @ centres.T).sub_(centres.square().sum(dim=1).div_(2))
    return inner > edge[:, None]


def _n_inside(points: Tensor, centres: Tensor, radius: float) -> Tensor:
    """In how many balls each point lies."""
    counts = torch.zeros(len(points), dtype=torch.int32, device=points.device)
    for some in torch.split(centres, _CENTRES):
        for block in cached_row_blocks(len(points), max(len(some), points.shape[1]), points.device):
            counts[block] += _inside(points[block], some, radius).sum(dim=1, dtype=torch.int32)
    return counts
