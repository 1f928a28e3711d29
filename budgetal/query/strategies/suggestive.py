"""`suggestive`: of the images on which passes disagree, those that are most like the rest of the pool."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.measures.chunks import row_blocks
from budgetal.query.kernels import top_k
from budgetal.query.kernels.max_cover import max_cover, reference_size
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_CANDIDATES_A_PICK = 2


@strategy(
    "suggestive",
    needs=("passes", "embeddings"),
    source="Yang et al. 2017",
    cost="O(N t m + n R d), R = N, or 4096 where N > 32768",
    prefix_stable=False,
)
def suggestive(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Of the 2 n images on which several passes differ most, those that cover the pool best.

    Uncertainty is the standard deviation over the passes, its mean over the classes; of the 2 n of largest, greedy
    argmax_i of Σ_j max_{s picked} max(0, cos(f_s, f_j)), j over the pool without labels (Yang et al., MICCAI 2017).
    Of a pool of more than 32,768 images, j runs over a sample of 4,096. Scores are what each pick adds to the sum.
    """
    uncertainty = mean_deviation(given(pool.passes, "passes"))
    candidates = top_k(uncertainty, _CANDIDATES_A_PICK * n)
    covered = pool.embeddings[spread_rows(len(pool), reference_size(len(pool)), pool.embeddings.device)]
    picked, gains = max_cover(pool.embeddings[candidates], covered, pool.embeddings[:0], n, cosine)
    rows = candidates[picked]
    return Selection(rows, gains, uncertainty=uncertainty[rows])


def cosine(left: Float[Tensor, "a d"], right: Float[Tensor, "b d"]) -> Float[Tensor, "a b"]:
    """f_i·f_j of every pair of unit vectors."""
    return left @ right.T


def mean_deviation(passes: Float[Tensor, "t n classes"]) -> Float[Tensor, " n"]:
    """Standard deviation of a class's probability over the passes, its mean over the classes; 0 for one pass."""
    n_passes, n, classes = passes.shape
    result = torch.empty(n, device=passes.device)
    for block in row_blocks(n, n_passes * classes):
        result[block] = passes[:, block].float().std(dim=0, correction=0).mean(dim=1)
    return result
