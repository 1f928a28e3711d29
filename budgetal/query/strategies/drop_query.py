"""`drop_query`: images whose prediction does not survive dropout, one of each cluster."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures import margin
from budgetal.measures.chunks import row_blocks
from budgetal.query.kernels import kmeans, top_k
from budgetal.query.kernels.nearest_to_centres import nearest_to_centres
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy(
    "drop_query",
    needs=("passes", "probs", "embeddings"),
    source="Gupte et al. 2024",
    cost="O(N (t m + d n))",
    prefix_stable=False,
)
def drop_query(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose predicted class changes in most dropout passes, one of each of n clusters.

    Candidates: rows where the likeliest class differs from that without dropout in more than half of the passes.
    k-means puts them into n clusters; the candidate nearest each centre is picked, largest cluster first (Gupte et
    al., TMLR 2024). Where candidates or clusters are too few, the rest is filled by margin; the source does not say.
    Scores are the share of passes that changed.
    """
    changed = share_changed(given(pool.passes, "passes"), pool.probs)
    candidates = top_k(changed, int((changed > 0.5).sum()))
    picked = candidates[_one_of_each_cluster(pool.embeddings[candidates], n, rng)]
    uncertainty = margin(pool.probs)
    rows = torch.cat([picked, _by_margin(uncertainty, picked, n - len(picked))])
    return Selection(rows, changed[rows], uncertainty=uncertainty[rows])


def share_changed(passes: Float[Tensor, "t n classes"], probs: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
    """Share of passes whose likeliest class is not that of `probs`; the first class of those that tie."""
    result = torch.empty(len(probs), device=probs.device)
    for block in row_blocks(len(probs), passes.shape[0] * passes.shape[2]):
        predicted = probs[block].argmax(dim=1)
        result[block] = (passes[:, block].argmax(dim=2) != predicted).float().mean(dim=0)
    return result


def _one_of_each_cluster(vectors: Tensor, n: int, rng: np.random.Generator) -> Int[Tensor, " k"]:
    if len(vectors) <= n:
        return torch.arange(len(vectors), device=vectors.device)
    return nearest_to_centres(vectors, kmeans(vectors, n, rng))


def _by_margin(uncertainty: Tensor, taken: Tensor, k: int) -> Int[Tensor, " k"]:
    free = uncertainty.clone()
    free[taken] = -1  # below every margin
    return top_k(free, k)
