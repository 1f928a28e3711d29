"""Exact nearest neighbours by inner product, on whatever device the vectors are."""

from collections.abc import Iterator

import faiss
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite
from budgetal.measures.chunks import row_blocks
from budgetal.measures.rows import CentredRows, Rows

_HEAPED = 1_048_576  # numbers of one block that is handed to faiss, 4 MiB
_TIED_CELLS = 4_194_304  # products of rows whose neighbours tie


def knn(
    vectors: Rows, k: int, among: Int[Tensor, " r"] | None = None
) -> tuple[Float[Tensor, "n neighbours"], Int[Tensor, "n neighbours"]]:
    """Inner products with, and rows of, the k nearest other vectors, nearest first, ties by row.

    A row is not its own neighbour; its duplicates are. `among`, r different rows, restricts who may be a
    neighbour. Where k ≥ r, k becomes r - 1, which every row has. Exact in float32: faiss on the CPU, which
    keeps the best of a block of products while it is in the cache, products and topk elsewhere. O(n r d)
    time, O(n k + r d) memory. Raises ValueError for k < 1 or values that are not finite.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, but is {k}")
    checked = finite(vectors, "vectors") if isinstance(vectors, Tensor) else vectors
    n, device = len(checked), checked.device
    rows = torch.arange(n, device=device) if among is None else among.sort().values
    few = max(0, min(k, len(rows) - 1))
    values = torch.empty(n, few, device=device)
    neighbours = torch.empty(n, few, dtype=torch.int64, device=device)
    if few == 0:
        return values, neighbours
    reference = _gathered(checked, among, rows)
    for block in _blocks(n, reference):
        found, places = _most_similar(checked[block], reference, few + 1)
        values[block], neighbours[block] = _others(found, rows[places], block)
    return values, neighbours


def _gathered(vectors: Rows, among: Tensor | None, rows: Tensor) -> Tensor:
    whole = among is None and not isinstance(vectors, CentredRows)
    return vectors[:] if whole else vectors[rows]


def _blocks(n: int, reference: Tensor) -> Iterator[slice]:
    """On the CPU only the block's own rows are held; elsewhere all its products."""
    if _on_cpu(reference):
        return row_blocks(n, reference.shape[1], _HEAPED)
    return row_blocks(n, len(reference))


def _most_similar(block: Tensor, reference: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest inner products of each row, largest first, and their places; ties by place."""
    one_more = min(k + 1, len(reference))
    values, places = _search(block, reference, one_more)
    tied = torch.nonzero((values[:, 1:] == values[:, :-1]).any(dim=1))[:, 0]
    values, places = values[:, :k].clone(), places[:, :k].clone()
    for some in torch.split(tied, max(1, _TIED_CELLS // len(reference))):
        values[some], places[some] = _lowest_places(block[some] @ reference.T, k)
    return values, places


def _search(block: Tensor, reference: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest inner products of each row, largest first, and their places; ties in any order."""
    if not _on_cpu(block):
        found = (block @ reference.T).topk(k, dim=1)
        return found.values, found.indices
    values, places = faiss.knn(block.numpy(), reference.numpy(), k, metric=faiss.METRIC_INNER_PRODUCT)
    return torch.from_numpy(values), torch.from_numpy(places)


def _lowest_places(products: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest of each row, of equal ones those in the lowest places, largest first and ties by place."""
    least = products.topk(k, dim=1).values[:, -1:]
    larger, equal = products > least, products == least
    open_places = k - larger.sum(dim=1, keepdim=True)
    kept = larger | (equal & (equal.cumsum(dim=1) <= open_places))
    places = torch.nonzero(kept)[:, 1].view(len(products), k)
    values, order = products.gather(1, places).sort(dim=1, descending=True, stable=True)
    return values, places.gather(1, order)


def _others(values: Tensor, rows: Tensor, block: slice) -> tuple[Tensor, Tensor]:
    """All but the row itself; all but the last where so many duplicates come first that it is not among them."""
    own = torch.arange(block.start, block.stop, device=rows.device)
    is_own = rows == own[:, None]
    is_own[:, -1] |= ~is_own.any(dim=1)
    kept = ~is_own
    return values[kept].view(len(own), -1), rows[kept].view(len(own), -1)


def _on_cpu(vectors: Tensor) -> bool:
    return vectors.device.type == "cpu"
