"""Greedy picks where a row's score only falls, looking only at rows that can still win (Minoux 1978).

The last score computed for a row bounds what it is worth now. Only rows whose bound is among the highest
are scored again, until the best bound is a score of now. Picks are those of scoring every row every time.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

_ACTIVE = 8192
_FIRST_BATCH = 32
_LARGEST_BATCH = 2048
_NEVER = 2**31 - 1


def lazy_greedy(
    bounds: Float[Tensor, " n"],
    k: int,
    score: Callable[[Int[Tensor, " r"]], Float[Tensor, " r"]],
    take: Callable[[int], None],
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """Rows of the k highest scores, picked one by one, and their scores when picked; ties to the lowest row.

    `score(rows)` is what rows are worth after the picks so far: never above `bounds` nor above what it was
    before. `take(row)` tells it of a pick. Raises ValueError when k is not in 0 … n.
    """
    if not 0 <= k <= len(bounds):
        raise ValueError(f"k must be in 0 … {len(bounds)}, but is {k}")
    rows: list[int] = []
    scores = bounds.new_zeros(k)
    queue = _Queue(bounds.clone())
    for pick in range(k):
        row = queue.best(pick, score)
        rows.append(row)
        scores[pick] = queue.bounds[row]
        queue.drop(row)
        if pick + 1 < k:
            take(row)
    return torch.tensor(rows, dtype=torch.int64, device=bounds.device), scores


class _Queue:
    """Bounds of all rows, of which only the highest are looked at: the active rows, lowest first."""

    def __init__(self, bounds: Tensor) -> None:
        self.bounds = bounds
        self._scored_at = torch.full(bounds.shape, -1, dtype=torch.int32, device=bounds.device)
        self._activate()

    def best(self, pick: int, score: Callable[[Tensor], Tensor]) -> int:
        """The lowest row of the highest score, of what rows are worth at this pick."""
        batch = _FIRST_BATCH
        while True:
            bounds = self.bounds[self._active]
            place = int(bounds.argmax())
            if bounds[place] < self._floor:
                self._activate()
            elif self._scored_at[self._active[place]] == pick:
                return int(self._active[place])
            else:
                self._rescore(bounds, batch, pick, score)
                batch = min(2 * batch, _LARGEST_BATCH)

    def drop(self, row: int) -> None:
        """Never answer this row again, nor score it."""
        self.bounds[row] = -torch.inf
        self._scored_at[row] = _NEVER

    def _activate(self) -> None:
        """Look at the rows of highest bound, and all that tie with the last of them."""
        self._floor = self.bounds.topk(min(_ACTIVE, len(self.bounds))).values[-1:]
        self._active = torch.nonzero(self.bounds >= self._floor)[:, 0]

    def _rescore(self, bounds: Tensor, batch: int, pick: int, score: Callable[[Tensor], Tensor]) -> None:
        rows = self._active[bounds.topk(min(batch, len(bounds))).indices]
        rows = rows[self._scored_at[rows] < pick].sort().values
        # A sum in another order may come out a little higher; a bound does not rise.
        self.bounds[rows] = torch.minimum(self.bounds[rows], score(rows))
        self._scored_at[rows] = pick
