"""k-means by faiss, seeded, with one number of threads whatever the machine has."""

from collections.abc import Iterator
from contextlib import contextmanager

import faiss
import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from budgetal.measures.checks import finite

_THREADS = 1  # sums must be taken in the same order on every machine
_ITERATIONS = 25


def kmeans(vectors: Float[Tensor, "n d"], n_clusters: int, rng: np.random.Generator) -> Int[Tensor, " n"]:
    """Cluster of each row, 0 … n_clusters - 1, by Lloyd's algorithm from a random start.

    A cluster may be empty (duplicate rows). Depends on the order of rows: sort them by sample id first.
    Of a large pool, 256 rows a cluster are sampled to find the centres. Runs on the CPU. Raises
    ValueError when n_clusters is not in 1 … n or a value is not finite.
    """
    if not 1 <= n_clusters <= len(vectors):
        raise ValueError(f"n_clusters must be in 1 … {len(vectors)}, but is {n_clusters}")
    rows = np.ascontiguousarray(finite(vectors, "vectors").cpu().numpy())
    seed = int(rng.integers(2**31 - 1))
    with _fixed_threads():
        return torch.from_numpy(_assign(rows, n_clusters, seed)).to(vectors.device)


def _assign(rows: NDArray[np.float32], n_clusters: int, seed: int) -> NDArray[np.int64]:
    # min_points_per_centroid only silences a warning: few points a cluster are normal here.
    solver = faiss.Kmeans(rows.shape[1], n_clusters, niter=_ITERATIONS, seed=seed, min_points_per_centroid=1)
    solver.train(rows)
    _, clusters = solver.index.search(rows, 1)
    flat: NDArray[np.int64] = clusters[:, 0]
    return flat


@contextmanager
def _fixed_threads() -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(_THREADS)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
