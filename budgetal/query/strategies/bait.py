"""`bait`: the batch after which the last layer's parameters are known best where the pool is."""

import numpy as np
import torch
from torch import Tensor

from budgetal.measures.chunks import row_blocks
from budgetal.query.kernels.fisher import class_factors, fisher_sum, leading_directions
from budgetal.query.kernels.fisher_search import FisherSearch, forward_backward
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

PRIOR = 0.01  # λ = 1 of the source, for features of length 1 instead of some 10
_WIDTH = 512
_CLASS_DIRECTIONS = 16
_RANK = 2
_MOST_CANDIDATES = 10_000
_CANDIDATES_A_PICK = 4


@strategy(
    "bait",
    needs=("probs", "embeddings", "labelled_probs", "labelled_embeddings"),
    source="Ash et al. 2021",
    cost="O(N (d² + w²) + n (K w + w²)), w = min(m d, 512), K = min(N, max(10,000, 4 n))",
    prefix_stable=False,
)
def bait(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images that together tell most about the last layer where it matters for the pool (Fisher information).

    argmin_S tr((λI + Σ_L I(x) + Σ_S I(x))⁻¹ Σ_pool I(x) / N), I(x) = xxᵀ ⊗ (diag p - ppᵀ): 2n images are added
    greedily, then all but n are dropped greedily, by Woodbury's identity (BAIT, Ash et al., NeurIPS 2021). Differences:
    x is projected on its leading directions so that the matrices are at most 512 wide, beyond 16 classes so are those;
    the information of a candidate keeps its two leading terms (all of it up to three classes, the pool's and the
    labels' always); of pools beyond K rows, K are candidates; λ = .01, and every image weighs 1, where the authors'
    code weighs a candidate n times a label. Scores are the gains when added.
    """
    to_features, to_classes = _bases(pool)
    features = pool.embeddings @ to_features
    target = fisher_sum(features, pool.probs, to_classes) / len(pool)
    labelled_probs = given(pool.labelled_probs, "labelled_probs")
    information = fisher_sum(pool.labelled_embeddings @ to_features, labelled_probs, to_classes)
    information += PRIOR * torch.eye(len(information)).to(information)
    candidates = spread_rows(len(pool), max(_MOST_CANDIDATES, _CANDIDATES_A_PICK * n), features.device)
    factors = class_factors(pool.probs[candidates], min(_RANK, pool.n_classes - 1))
    reduced = torch.einsum("nmr,mb->nbr", factors, to_classes)
    rows, gains = forward_backward(FisherSearch(features[candidates], reduced, information, target), n, len(candidates))
    return Selection(candidates[rows], gains)


def _bases(pool: PoolView) -> tuple[Tensor, Tensor]:
    """Leading directions of features and of classes, at most `_WIDTH` of their products."""
    # Σ diag p - ppᵀ: what the classes' information has in common.
    of_classes = torch.diag(pool.probs.sum(dim=0, dtype=torch.float64)) - _second_moment(pool.probs)
    to_classes = leading_directions(of_classes, _CLASS_DIRECTIONS)
    return leading_directions(_second_moment(pool.embeddings), _WIDTH // to_classes.shape[1]), to_classes


def _second_moment(values: Tensor) -> Tensor:
    result = values.new_zeros(values.shape[1], values.shape[1], dtype=torch.float64)
    for block in row_blocks(*values.shape):
        result += values[block].T @ values[block]
    return result
