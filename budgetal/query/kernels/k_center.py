"""Greedy k-center: always the row that is farthest from everything chosen so far.

A row's distance to the nearest centre only falls, so an old distance bounds the new one from above. A few
rows of highest bound are held exactly; as long as the farthest of them reaches the highest bound of
the others, it is the farthest of all. Only when it does not are the others compared with new centres, and
only those whose bound lies above it, by matrix products that widen each bound by their own rounding error.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import MAX_CELLS, cached_row_blocks
from budgetal.query.kernels.rounding import product_slack
from budgetal.query.kernels.top_k import highest

_ACTIVE_ROWS = 512
_CENTERS_AT_ONCE = 256


def k_center(
    vectors: Float[Tensor, "n d"], centers: Float[Tensor, "c d"], k: int, *, active_rows: int = _ACTIVE_ROWS
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """Pick argmax_i min_j ‖x_i - x_j‖ k times, j over `centers` and the rows picked before; exact.

    Returns the rows in order and each one's distance to the nearest center when it was picked. With
    no centers the first pick is the row nearest the mean, at distance 0. Distances are sums of squared
    differences in double precision, rounded to float32; ties go to the lowest row. `active_rows`, how many are
    held exactly, changes the time and not the answer. A two-approximation of the smallest covering radius
    (Gonzalez 1985; Sener & Savarese, ICLR 2018). O(n d (c + k)) time at worst, O(n + (c + k) d) memory.
    Raises ValueError when k is not in 0 … n or `active_rows` is not positive.
    """
    if not 0 <= k <= len(vectors) or active_rows < 1:
        raise ValueError(f"k must be in 0 … {len(vectors)} and active_rows positive, got {k} and {active_rows}")
    search = _Search(vectors, _Centers(centers, k), active_rows)
    if k and len(centers) == 0:
        search.start(_nearest_to_mean(vectors))
    while len(search.rows) < k:
        search.cycle(k)
    device = vectors.device
    return torch.tensor(search.rows, dtype=torch.int64, device=device), torch.tensor(search.distances, device=device)


class _Centers:
    """The centres so far, and what rounding can do to a squared distance that a matrix product gives."""

    def __init__(self, known: Tensor, n_more: int) -> None:
        self.count, width = len(known), known.shape[1]
        self.slack = product_slack(width)
        self.exact = known.new_empty(self.count + n_more, width, dtype=torch.float64)
        self.single = known.new_empty(self.count + n_more, width, dtype=torch.float32)
        self.squares = known.new_empty(self.count + n_more, dtype=torch.float32)
        self._put(slice(0, self.count), known)

    def add(self, row: Tensor) -> None:
        self._put(slice(self.count, self.count + 1), row[None])
        self.count += 1

    def upper_bounds(self, rows: Tensor, start: int, stop: int) -> Tensor:
        """No less than each row's distance to the nearest of the centres start … stop - 1."""
        stretch, single = 1 + self.slack, rows.float()
        products = torch.addmm(stretch * self.squares[start:stop], single, self.single[start:stop].T, alpha=-2)
        squared = products.amin(dim=1) + stretch * _squares(single)
        return squared.clamp(min=torch.finfo(torch.float32).tiny).sqrt()

    def nearest(self, rows: Tensor) -> Tensor:
        """Exact distance of each row to its nearest centre."""
        result = rows.new_full((len(rows),), torch.inf, dtype=torch.float32)
        for block in cached_row_blocks(len(rows), max(self.count, rows.shape[1]), rows.device):
            self._lower(result[block], rows[block])
        return result

    def _lower(self, distances: Tensor, rows: Tensor) -> None:
        """Only the centres that may be the nearest, as far as a matrix product tells, are measured exactly."""
        single = rows.float()
        sizes = _squares(single)[:, None] + self.squares[: self.count]
        squared = torch.addmm(sizes, single, self.single[: self.count].T, alpha=-2)
        doubt = sizes.mul_(self.slack)
        places, centers = torch.nonzero(squared - doubt <= (squared + doubt).amin(dim=1, keepdim=True), as_tuple=True)
        for pairs in cached_row_blocks(len(places), rows.shape[1], rows.device):
            found = _distances(rows[places[pairs]], self.exact[centers[pairs]])
            distances.scatter_reduce_(0, places[pairs], found, "amin")

    def _put(self, where: slice, rows: Tensor) -> None:
        self.exact[where] = rows.double()
        self.single[where] = rows.float()
        self.squares[where] = _squares(self.single[where])


@dataclass
class _Active:
    """Rows in ascending order, as vectors in double precision, and their exact distances."""

    rows: Tensor
    vectors: Tensor
    distances: Tensor

    def farthest(self) -> tuple[float, int]:
        distance, place = self.distances.max(dim=0)
        return distance.item(), int(place)

    def take(self, place: int) -> Tensor:
        taken = self.vectors[place]
        torch.minimum(self.distances, _distances(self.vectors, taken[None]), out=self.distances)
        self.distances[place] = -1  # never again, even where all that remain are duplicates
        return taken


class _Search:
    def __init__(self, vectors: Tensor, centers: _Centers, active_rows: int) -> None:
        self._vectors, self._centers = vectors, centers
        self._least, self._size = active_rows, active_rows
        self._most = max(active_rows, MAX_CELLS // max(1, vectors.shape[1]))
        self._bounds = vectors.new_full((len(vectors),), torch.inf, dtype=torch.float32)
        self._seen = torch.zeros(len(vectors), dtype=torch.int64, device=vectors.device)
        self.rows: list[int] = []
        self.distances: list[float] = []

    def start(self, row: int) -> None:
        self._note(row, 0.0, self._vectors[row])
        self._bounds[row] = -1

    def cycle(self, k: int) -> None:
        """Take the rows that are the farthest beyond doubt, then tighten the bounds that left a doubt."""
        before = len(self.rows)
        active, rival_bound, rival = self._highest_bounds()
        while len(self.rows) < k:
            distance, place = active.farthest()
            row = int(active.rows[place])
            if (distance, -row) < (rival_bound, -rival):
                break
            self._note(row, distance, active.take(place))
        self._bounds[active.rows], self._seen[active.rows] = active.distances, self._centers.count
        self._tighten(max(distance, 0.0))
        self._size = self._least if len(self.rows) > before else min(2 * self._size, self._most)

    def _note(self, row: int, distance: float, vector: Tensor) -> None:
        self.rows.append(row)
        self.distances.append(distance)
        self._centers.add(vector)

    def _highest_bounds(self) -> tuple[_Active, float, int]:
        """The active set, and the highest bound outside with its lowest row."""
        order = highest(self._bounds, self._size + 1)
        rows, others = order[: self._size].sort().values, order[self._size :]
        vectors = self._vectors.index_select(0, rows).double()
        distances = torch.where(self._bounds[rows] < 0, -1, self._centers.nearest(vectors))
        if len(others) == 0:
            return _Active(rows, vectors, distances), -1.0, len(self._bounds)
        return _Active(rows, vectors, distances), self._bounds[others].item(), int(others)

    def _tighten(self, floor: float) -> None:
        """Compare rows with the centres that they have not seen, unless their bound says they are not the farthest.

        `floor` rises to the highest bound found on the way. Whatever it leaves out keeps an old bound, which is
        looked at again when the active set falls below it.
        """
        rows = torch.nonzero((self._bounds > floor) & (self._seen < self._centers.count))[:, 0]
        width = max(_CENTERS_AT_ONCE, self._vectors.shape[1])
        for block in cached_row_blocks(len(rows), width, rows.device):
            floor = max(floor, self._tighten_block(rows[block], floor))

    def _tighten_block(self, rows: Tensor, floor: float) -> float:
        rows = rows[self._bounds[rows] > floor]
        start = int(self._seen[rows].min()) if len(rows) else 0
        while start < self._centers.count and len(rows):
            stop = min(start + _CENTERS_AT_ONCE, self._centers.count)
            bounds = self._centers.upper_bounds(self._vectors.index_select(0, rows), start, stop)
            self._bounds[rows] = torch.minimum(self._bounds[rows], bounds)
            self._seen[rows] = self._seen[rows].clamp(min=stop)
            rows, start = rows[self._bounds[rows] > floor], stop
        return self._bounds[rows].max().item() if len(rows) else floor


def _distances(rows: Tensor, others: Tensor) -> Tensor:
    """‖row - other‖, pair by pair or of each row to one other; the same for a pair wherever it stands."""
    together = (rows[:, None], others[:, None]) if len(others) == len(rows) else (rows, others)
    return torch.cdist(*together, compute_mode="donot_use_mm_for_euclid_dist").flatten().float()


def _squares(rows: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return lengths.square()


def _nearest_to_mean(vectors: Tensor) -> int:
    blocks = list(cached_row_blocks(len(vectors), vectors.shape[1], vectors.device))
    mean = vectors.new_zeros(1, vectors.shape[1], dtype=torch.float64)
    for block in blocks:
        mean += vectors[block].double().sum(dim=0) / len(vectors)
    distances = vectors.new_empty(len(vectors), dtype=torch.float32)
    for block in blocks:
        distances[block] = _distances(vectors[block].double(), mean)
    return int(distances.argmin())
