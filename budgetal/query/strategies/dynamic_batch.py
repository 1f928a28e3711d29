"""`dynamic_batch`: a batch of uncertain images that are predicted as differently as can be."""

import numpy as np

from budgetal.measures import entropy
from budgetal.query.kernels import top_k
from budgetal.query.kernels.relaxed_batch import DivergenceMatrix, relaxed_batch
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_CANDIDATES_A_PICK = 5


@strategy(
    "dynamic_batch",
    needs=("probs",),
    source="Chakraborty et al. 2011",
    cost="O(N m + 300 K m), K = min(N, 5 n)",
    prefix_stable=False,
)
def dynamic_batch(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """A batch of uncertain images whose predictions differ most from each other.

    max mᵀDm - c·1ᵀm over 0 ≤ m ≤ 1, D_ii = λ H_i, D_ij the symmetric divergence of p_i and p_j; then the n largest
    m_i, which are the scores (Chakraborty, Balasubramanian & Panchanathan, CVPR 2011). There c is given and the batch
    has the size that comes out; here n is given and c is the multiplier with which Σ m_i = n. λ = n weighs the mean
    entropy as the mean divergence. Only the 5 n images of highest entropy are candidates: the most divergent of all
    predictions are those that are sure of different classes, which teach nothing.
    """
    uncertainty = entropy(pool.probs)
    candidates = top_k(uncertainty, _CANDIDATES_A_PICK * n).sort().values
    matrix = DivergenceMatrix.of(pool.probs[candidates], balance=float(n))
    weights, size_cost = relaxed_batch(matrix, n)
    chosen = top_k(weights, n)
    rows = candidates[chosen]
    told = {"lambda": float(n), "c": size_cost}
    return Selection(rows, weights[chosen].float(), uncertainty=uncertainty[rows], weights=told)
