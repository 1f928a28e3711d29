"""The best rows, but not all from one place."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.query.kernels.top_k import top_k

_ROUNDS = 8


def apart(values: Float[Tensor, " n"], neighbours: Int[Tensor, "n k"], n_picks: int) -> Int[Tensor, " picks"]:
    """min(n, n_picks) rows by value, in rounds that each take one of a region.

    A region is a row with its `neighbours`, nearest first. In a round, rows come best first, ties by row;
    a row waits for the next one when it, or its nearest neighbour, lies in the region of a row taken in this one.
    After eight rounds the rest follows by value. O(n log n). Raises ValueError for values not finite.
    """
    waiting: list[int] = top_k(values, len(values)).tolist()
    regions = torch.cat([torch.arange(len(values))[:, None], neighbours.cpu()], dim=1)
    nearest: list[int] = regions[:, min(1, neighbours.shape[1])].tolist()
    picked: list[int] = []
    for _ in range(_ROUNDS):
        if len(picked) < n_picks:
            taken, waiting = _one_round(waiting, nearest, regions, n_picks - len(picked))
            picked += taken
    return torch.tensor((picked + waiting)[:n_picks], dtype=torch.int64, device=values.device)


def _one_round(
    waiting: list[int], nearest: list[int], regions: Int[Tensor, "n q"], wanted: int
) -> tuple[list[int], list[int]]:
    """Rows taken and rows that wait, both best first."""
    covered: set[int] = set()
    taken: list[int] = []
    later: list[int] = []
    for row in waiting:
        if len(taken) == wanted or row in covered or nearest[row] in covered:
            later.append(row)
        else:
            taken.append(row)
            covered.update(regions[row].tolist())
    return taken, later
