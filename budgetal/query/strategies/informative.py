"""`informative`, the default: uncertain, typical and new, in a mix that changes as labels come in."""

from dataclasses import asdict

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.measures import (
    CentredRows,
    adaptive_weights,
    centred,
    informativeness,
    knn_density,
    margin,
    mean_vector,
)
from budgetal.query.kernels import greedy_informative
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategies.typical import most_typical
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_NEIGHBOURS = 10
_REFERENCE_ROWS = 4096


@strategy(
    "informative",
    needs=("probs", "embeddings", "labelled_embeddings"),
    source="Gikunda, Deep Active Learning with Budget Annotation",
    cost="O(N d (4096 + L + n)) at worst",
    cold_start=True,
)
def informative(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Uncertain, typical and new images: u^α · c^β · (1 - r)^γ, typicality first, uncertainty later.

    u is the margin, c the k-NN density, r the redundancy, both of embeddings less their mean; the
    exponents are `adaptive_weights`. While nothing is labelled: one typical image of each of n clusters.
    """
    mean = mean_vector(pool.embeddings, pool.labelled_embeddings)
    embeddings = CentredRows(pool.embeddings, mean)
    if pool.n_labelled == 0:
        return most_typical(embeddings, n, rng)
    weights = adaptive_weights(pool.n_labelled, pool.probs.shape[1])
    uncertainty, density = margin(pool.probs), _density(embeddings)
    values = informativeness(uncertainty, density, torch.zeros_like(density), weights)
    labelled = centred(pool.labelled_embeddings, mean)
    picks = greedy_informative(values, embeddings, labelled, weights.gamma, n)
    return Selection(
        rows=picks.rows,
        scores=picks.scores,
        uncertainty=uncertainty[picks.rows],
        correlation=density[picks.rows],
        redundancy=picks.redundancy,
        weights=asdict(weights),
    )


def _density(embeddings: CentredRows) -> Float[Tensor, " n"]:
    """k-NN density among at most 4,096 rows, evenly spaced: ids are hashes, so a sample in id order is random."""
    return knn_density(embeddings, _NEIGHBOURS, spread_rows(len(embeddings), _REFERENCE_ROWS, embeddings.device))
