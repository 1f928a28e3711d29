"""`information_density`: uncertain, and like the rest of the pool."""

from dataclasses import asdict

import numpy as np

from budgetal.measures import Weights, informativeness, margin, whole_pool_density
from budgetal.query.kernels import top_k
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

WEIGHTS = Weights(alpha=1, beta=1, gamma=0)


@strategy(
    "information_density",
    needs=("probs", "embeddings"),
    source="Settles & Craven 2008",
    cost="O(N (m + d))",
)
def information_density(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Uncertainty times density: uncertain images that resemble the rest of the pool.

    u_i · max(0, f_i · mean(f)), u the margin; the density is the exact mean cosine with the whole pool, in O(N d)
    (Settles & Craven, "An analysis of active learning strategies for sequence labeling tasks", EMNLP 2008).
    """
    uncertainty = margin(pool.probs)
    density = whole_pool_density(pool.embeddings).clamp(0, 1)
    scores = informativeness(uncertainty, density, uncertainty.new_zeros(len(pool)), WEIGHTS)
    rows = top_k(scores, n)
    return Selection(
        rows,
        scores[rows],
        uncertainty=uncertainty[rows],
        correlation=density[rows],
        weights=asdict(WEIGHTS),
    )
