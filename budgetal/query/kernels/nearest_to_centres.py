"""One image for each cluster: the one nearest its centre."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import row_blocks


def nearest_to_centres(vectors: Float[Tensor, "n d"], clusters: Int[Tensor, " n"]) -> Int[Tensor, " k"]:
    """The row nearest the mean of each cluster that has rows, largest cluster first; O(n d) time, O(n) memory.

    `clusters` are numbers from 0. Among rows equally near the lowest is taken, among clusters equally large the
    lowest number.
    """
    if len(vectors) == 0:
        return torch.zeros(0, dtype=torch.int64, device=vectors.device)
    distances = _to_own_centre(vectors, clusters)
    nearest_first = torch.argsort(distances, stable=True)
    grouped = nearest_first[torch.argsort(clusters[nearest_first], stable=True)]
    sizes = torch.bincount(clusters)
    firsts = grouped[(sizes.cumsum(0) - sizes)[sizes > 0]]
    return firsts[torch.argsort(sizes[sizes > 0], descending=True, stable=True)]


def _to_own_centre(vectors: Tensor, clusters: Tensor) -> Tensor:
    sums = vectors.new_zeros(int(clusters.max()) + 1, vectors.shape[1], dtype=torch.float64)
    result = vectors.new_empty(len(vectors))
    blocks = list(row_blocks(*vectors.shape))
    for block in blocks:
        sums.index_add_(0, clusters[block], vectors[block].double())
    centres = (sums / torch.bincount(clusters).clamp(min=1)[:, None]).to(vectors.dtype)
    for block in blocks:
        result[block] = (vectors[block] - centres[clusters[block]]).square().sum(dim=1)
    return result
