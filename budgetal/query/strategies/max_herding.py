"""`max_herding`: images that are close, by a smooth kernel, to as much of the pool as possible."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from budgetal.query.kernels.max_cover import max_cover, reference_size
from budgetal.query.kernels.rbf import rbf
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_WIDTH = 1.0


@strategy(
    "max_herding",
    needs=("embeddings", "labelled_embeddings"),
    source="Bae et al. 2024",
    cost="O(R d (N + L + a)), a ≤ n N rows scored again, R = N, or 4096 where N > 32768",
    cold_start=True,
)
def max_herding(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images that add most to how well labelled and picked images cover the pool, by a Gaussian kernel.

    Greedy argmax_i Σ_j max(0, k(x_i, x_j) - max_{s labelled or picked} k(x_s, x_j)), k(x, y) = exp(-‖x - y‖² / h²)
    on unit vectors with h = 1, the generalised coverage of Bae, Noh & Sutherland (ECCV 2024). Of a pool of more than
    32,768 images, j runs over a sample of 4,096. Scores are the gains.
    """
    covered = pool.embeddings[spread_rows(len(pool), reference_size(len(pool)), pool.embeddings.device)]
    rows, gains = max_cover(pool.embeddings, covered, pool.labelled_embeddings, n, gaussian)
    return Selection(rows, gains)


def gaussian(left: Float[Tensor, "a d"], right: Float[Tensor, "b d"]) -> Float[Tensor, "a b"]:
    """exp(-‖x_i - y_j‖² / h²), h = 1: the kernel and width that the authors settle on."""
    return rbf(left, right, bandwidth=_WIDTH / 2**0.5)
