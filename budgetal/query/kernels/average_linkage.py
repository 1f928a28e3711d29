"""Hierarchical clusters by average linkage, of the rows while they are few, of k-means centres when they are many."""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import linkage
from torch import Tensor

from budgetal.query.kernels.kmeans import kmeans_centres, nearest_centre

_MOST_LEAVES = 2048
_ROWS_A_LEAF = 64


def average_linkage(vectors: Float[Tensor, "n d"], n_clusters: int, rng: np.random.Generator) -> Int[Tensor, " n"]:
    """Cluster of each row, from 0: the two clusters of least mean distance are joined until n_clusters are left.

    Exact for up to 2,048 rows. Of more, 2,048 centres of k-means are joined, to min(n_clusters, 1,024) clusters, each
    centre counting once, and a row follows its nearest centre: O(n d) time and memory where the hierarchy of all
    rows is quadratic. Runs on the CPU. Raises ValueError when n_clusters is not in 1 … n.
    """
    if not 1 <= n_clusters <= len(vectors):
        raise ValueError(f"n_clusters must be in 1 … {len(vectors)}, but is {n_clusters}")
    if len(vectors) <= _MOST_LEAVES:
        return _joined(vectors, n_clusters)
    centres = kmeans_centres([vectors], _MOST_LEAVES, rng, _ROWS_A_LEAF)
    return _joined(centres, min(n_clusters, _MOST_LEAVES // 2))[nearest_centre(vectors, centres)]


def _joined(vectors: Tensor, n_clusters: int) -> Tensor:
    n = len(vectors)
    if n == 1:
        return torch.zeros(1, dtype=torch.int64, device=vectors.device)
    tree = linkage(vectors.double().cpu().numpy(), method="average")
    owner = np.arange(2 * n - 1)
    for step in reversed(range(n - n_clusters)):  # each of the first joins hands its owner to its two parts
        owner[tree[step, :2].astype(int)] = owner[n + step]
    _, clusters = np.unique(owner[:n], return_inverse=True)
    return torch.from_numpy(clusters).to(vectors.device)
