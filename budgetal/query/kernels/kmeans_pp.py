"""k-means++ seeding: rows drawn with probability in proportion to their squared distance from those drawn before.

The draw is exact, and cheap: a squared distance only falls, so an old one bounds it from above. A row is
drawn by the bounds, its distance D² measured, and it is taken with probability D² / bound; if it is not, its
bound has become exact. All bounds are computed anew only when the draws in vain have cost as much as that.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from budgetal.measures.chunks import cached_row_blocks
from budgetal.query.kernels.rounding import product_slack, squared_lengths

_CELL = 1024  # bounds are summed by cells of so many rows: a draw looks at the cells, then inside one
_MOST_TRIES = 64
_DRAW_COST = 2_000_000  # in multiplications, as are the other costs below


def kmeans_pp(
    factors: tuple[Float[Tensor, "n _"], ...], k: int, rng: np.random.Generator
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """Draw k rows, each with probability D²(g_i) / Σ D², D the distance to the nearest row drawn before.

    g_i is the tensor product of row i of the `factors` (of one factor: the row itself). It is never formed:
    ⟨g_i, g_j⟩ is the product over factors of their inner products. The first row is the longest, as in
    BADGE's code. Where all D² are 0 (duplicates), the lowest rows follow. Returns the rows in order and D² of
    each when it was drawn, of the first its squared length. O(n w k) time at worst, w numbers in all of a
    row's factors; O(n + k w) memory. Asking for more adds rows at the end. Raises ValueError when k is not in
    0 … n or the factors differ in length.

    Arthur & Vassilvitskii, SODA 2007; on gradient embeddings: Ash et al., ICLR 2020.
    """
    n_rows = {len(factor) for factor in factors}
    if len(n_rows) != 1 or not 0 <= k <= min(n_rows):
        raise ValueError(f"k must be in 0 … the length of all factors, but k is {k} and the lengths are {n_rows}")
    seeding = _Seeding(_Products(factors, k), rng)
    while len(seeding.rows) < k:
        seeding.step()
    device = factors[0].device
    distances = torch.tensor(seeding.distances, dtype=torch.float32, device=device)
    return torch.tensor(seeding.rows, dtype=torch.int64, device=device), distances


class _Products:
    """Squared distances between tensor products of rows, by the inner products of their factors."""

    def __init__(self, factors: tuple[Tensor, ...], most: int) -> None:
        self.factors, self.n, self.n_taken = factors, len(factors[0]), 0
        self.width = sum(factor.shape[1] for factor in factors)
        self._slack = product_slack(self.width, n_products=len(factors))
        self._rounding = product_slack(self.width, torch.float64)
        self.lengths = torch.stack([squared_lengths(factor) for factor in factors]).prod(dim=0)
        self._taken = [factor.new_empty(most, factor.shape[1], dtype=torch.float64) for factor in factors]
        self._taken_lengths = self.lengths.new_empty(most)

    def take(self, row: int) -> None:
        for taken, factor in zip(self._taken, self.factors, strict=True):
            taken[self.n_taken] = factor[row]
        self._taken_lengths[self.n_taken] = self.lengths[row]
        self.n_taken += 1

    def nearest(self, rows: Tensor) -> Tensor:
        """Squared distance of each row to the nearest that was taken; 0 where it could be rounding."""
        others = self._taken_lengths[: self.n_taken]
        inner = torch.ones_like(others)
        for taken, factor in zip(self._taken, self.factors, strict=True):
            inner = inner * (factor[rows].double() @ taken[: self.n_taken].T)
        return self._squared(self.lengths[rows][:, None], others, inner).amin(dim=1)

    def upper_bounds(self, block: slice, start: int) -> Tensor:
        """No less than each row's squared distance to the nearest of those taken from the start-th on."""
        stretch, lengths = 1 + self._slack, self.lengths[block]
        taken = stretch * self._taken_lengths[start : self.n_taken]
        relative = self._inner(block, start).mul_(-2).add_(taken.float())
        bounds = relative.amin(dim=1) + stretch * lengths
        doubtful = torch.nonzero(bounds <= 6 * self._slack * lengths)[:, 0]  # may be duplicates, D² = 0
        if len(doubtful):
            nearest = relative[doubtful].argmin(dim=1) + start
            bounds[doubtful] = torch.minimum(bounds[doubtful], self._pairs(doubtful + block.start, nearest))
        return bounds

    def _inner(self, block: slice, start: int) -> Tensor:
        each = [
            factor[block].float() @ taken[start : self.n_taken].float().T
            for taken, factor in zip(self._taken, self.factors, strict=True)
        ]
        for more in each[1:]:
            each[0].mul_(more)
        return each[0]

    def _pairs(self, rows: Tensor, taken: Tensor) -> Tensor:
        inner = torch.ones_like(self.lengths[rows])
        for known, factor in zip(self._taken, self.factors, strict=True):
            inner *= (factor[rows].double() * known[taken]).sum(dim=1)
        return self._squared(self.lengths[rows], self._taken_lengths[taken], inner)

    def _squared(self, lengths: Tensor, others: Tensor, inner: Tensor) -> Tensor:
        sums = lengths + others
        squared = sums - 2 * inner
        return squared * (squared > self._rounding * sums)


class _Seeding:
    """Draws rows by their bounds, which lie on the CPU, where the random numbers are drawn."""

    def __init__(self, products: _Products, rng: np.random.Generator) -> None:
        self._products, self._rng = products, rng
        self._bounds = np.full(-(-products.n // _CELL) * _CELL, 0.0)
        self._bounds[: products.n] = np.inf
        self._cells = self._bounds.reshape(-1, _CELL)
        self._sums = self._cells.sum(axis=1)
        self._n_seen, self._cost_in_vain, self._tries = 0, 0, 1
        self.rows: list[int] = []
        self.distances: list[float] = []

    def step(self) -> None:
        """Take one row, or learn that the one drawn was worth less than its bound."""
        if not self.rows:
            longest = int(self._products.lengths.float().argmax())
            self._take(longest, self._products.lengths[longest].item())
            self._refresh()
        elif (total := self._sums.sum()) > 0:
            self._draw(total)
        else:
            self._take(self._lowest_left(), 0.0)

    def _draw(self, total: float) -> None:
        chances = self._rng.random((self._tries, 2))
        rows = self._rows_at(chances[:, 0] * total)
        bounds, distances = self._bounds[rows], self._measured(rows)
        accepted = np.flatnonzero(chances[:, 1] * bounds < distances)
        if len(accepted):
            self._take(int(rows[accepted[0]]), float(distances[accepted[0]]))
        self._tries = max(1, self._tries // 2) if len(accepted) else min(2 * self._tries, _MOST_TRIES)
        self._refresh_if_due(int(accepted[0]) if len(accepted) else len(rows))

    def _rows_at(self, masses: NDArray[np.float64]) -> NDArray[np.int64]:
        """For each mass, the row where the running sum of bounds passes it."""
        until = self._sums.cumsum()
        cells = until.searchsorted(masses, side="right").clip(max=len(until) - 1)
        inside = self._cells[cells].cumsum(axis=1)
        left = masses - until[cells] + self._sums[cells]
        rows: NDArray[np.int64] = cells * _CELL + (inside <= left[:, None]).sum(axis=1)
        return rows.clip(max=self._products.n - 1)  # where rounding passed the end, a row that bounds 0 is in vain

    def _measured(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """D² of the rows, which are their bounds from now on."""
        device = self._products.lengths.device
        distances = self._products.nearest(torch.from_numpy(rows).to(device)).cpu().numpy()
        lowered: NDArray[np.float64] = np.minimum(distances, self._bounds[rows])  # rounding may not raise a bound
        self._set_bounds(rows, lowered)
        return lowered

    def _take(self, row: int, distance: float) -> None:
        self.rows.append(row)
        self.distances.append(distance)
        self._products.take(row)
        self._set_bounds(np.array([row]), np.zeros(1))

    def _set_bounds(self, rows: NDArray[np.int64], bounds: NDArray[np.float64]) -> None:
        self._bounds[rows] = bounds
        self._sums[rows // _CELL] = self._cells[rows // _CELL].sum(axis=1)

    def _refresh_if_due(self, n_rejected: int) -> None:
        unseen, width = len(self.rows) - self._n_seen, self._products.width
        self._cost_in_vain += n_rejected * (_DRAW_COST + 8 * width * len(self.rows))
        if unseen and self._cost_in_vain >= self._products.n * width * (unseen + 8):
            self._refresh()

    def _refresh(self) -> None:
        """Compare every row with the rows taken since the last time."""
        products, bounds = self._products, torch.from_numpy(self._bounds)
        width = max(products.width, len(self.rows) - self._n_seen)
        for block in cached_row_blocks(products.n, width, products.lengths.device):
            found = products.upper_bounds(block, self._n_seen)
            bounds[block] = torch.minimum(bounds[block], found.to(bounds.device))
        self._n_seen, self._cost_in_vain = len(self.rows), 0
        self._sums = self._cells.sum(axis=1)

    def _lowest_left(self) -> int:
        left = np.ones(self._products.n, dtype=bool)
        left[self.rows] = False
        return int(left.argmax())
