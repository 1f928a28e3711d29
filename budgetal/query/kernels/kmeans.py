"""k-means by faiss, seeded; the same answer whatever the number of threads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import faiss
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite
from budgetal.measures.chunks import row_blocks
from budgetal.measures.rows import CentredRows, Rows
from budgetal.query.kernels.kmeans_pp import kmeans_pp

Parts = Sequence[Float[Tensor, "_ d"] | CentredRows]

_ITERATIONS = 5  # from k-means++: twenty more lower the error by about 0.2 %
_ROWS_A_CLUSTER = 256
_WORTH_THREADS = 50_000_000  # products; below, threads cost more than they save, on a busy machine very much more
_BLOCK_CELLS = 1_048_576  # 4 MiB, of rows that are read or handed to faiss at once


def kmeans(vectors: Rows, n_clusters: int, rng: np.random.Generator) -> Int[Tensor, " n"]:
    """Cluster of each row, 0 … n_clusters - 1, by five rounds of Lloyd's algorithm from a start by k-means++.

    A cluster may be empty (duplicate rows). Depends on the order of rows: sort them by sample id first.
    Of a large pool, 256 rows a cluster are sampled to find the centres; O(k d (1280 k + n)) time at most, k
    clusters. Runs on the CPU, with all its cores. Raises ValueError when n_clusters is not in 1 … n or a value
    is not finite.
    """
    return nearest_centre(vectors, kmeans_centres([vectors], n_clusters, rng))


def kmeans_centres(
    parts: Parts, n_clusters: int, rng: np.random.Generator, rows_a_cluster: int = _ROWS_A_CLUSTER
) -> Float[Tensor, "clusters d"]:
    """Centres of k-means over the rows of all parts, found as in `kmeans`, in a sample of `rows_a_cluster` each."""
    n = sum(len(part) for part in parts)
    if not 1 <= n_clusters <= n:
        raise ValueError(f"n_clusters must be in 1 … {n}, but is {n_clusters}")
    rows = _training_rows(parts, min(n, rows_a_cluster * n_clusters), rng)
    start, _ = kmeans_pp((torch.from_numpy(rows),), n_clusters, rng)
    # min_points_per_centroid only silences a warning: few points a cluster are normal here.
    solver = faiss.Kmeans(rows.shape[1], n_clusters, niter=_ITERATIONS, min_points_per_centroid=1)
    with _threads_for(n_clusters * rows.size):
        solver.train(rows, init_centroids=rows[start.numpy()])
    return torch.from_numpy(solver.centroids).to(parts[0].device)


def nearest_centre(vectors: Rows, centres: Float[Tensor, "clusters d"]) -> Int[Tensor, " n"]:
    """The centre nearest each row, by Euclidean distance, ties to the lowest. Runs on the CPU."""
    centre_rows = _array(centres)
    clusters = torch.empty(len(vectors), dtype=torch.int64)
    with _threads_for(len(vectors) * centre_rows.size):
        for block in row_blocks(len(vectors), vectors.shape[1], _BLOCK_CELLS):
            _, nearest = faiss.knn(_array(vectors[block]), centre_rows, 1)
            clusters[block] = torch.from_numpy(nearest[:, 0])
    return clusters.to(vectors.device)


@contextmanager
def _threads_for(n_products: int) -> Iterator[None]:
    """All of faiss's threads for large problems, one for small ones; the answer is the same."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(before if n_products >= _WORTH_THREADS else 1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _training_rows(parts: Parts, n_rows: int, rng: np.random.Generator) -> Float[np.ndarray, "rows d"]:
    """A uniform sample of all rows, in their order; all of them where they are few."""
    sizes = [len(part) for part in parts]
    sample = np.arange(sum(sizes))
    if n_rows < len(sample):
        sample = np.sort(rng.choice(len(sample), n_rows, replace=False))
    rows, end = np.empty((n_rows, parts[0].shape[1]), dtype=np.float32), 0
    for part, size in zip(parts, sizes, strict=True):
        inside = np.flatnonzero((sample >= end) & (sample < end + size))
        for block in row_blocks(len(inside), part.shape[1], _BLOCK_CELLS):
            places = inside[block]
            rows[places] = _array(part[torch.from_numpy(sample[places] - end).to(part.device)])
        end += size
    return rows


def _array(vectors: Tensor) -> Float[np.ndarray, "rows d"]:
    return np.ascontiguousarray(finite(vectors, "vectors").cpu().numpy())
