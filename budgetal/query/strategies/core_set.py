"""`core_set`: cover the pool with balls around labelled images."""

import numpy as np

from budgetal.query.kernels import k_center
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy(
    "core_set",
    needs=("embeddings", "labelled_embeddings"),
    source="Sener & Savarese 2018",
    cost="O(N d (L + n))",
    cold_start=True,
)
def core_set(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images farthest from all that are labelled or picked already (greedy k-center)."""
    rows, distances = k_center(pool.embeddings, pool.labelled_embeddings, n)
    return Selection(rows=rows, scores=distances)
