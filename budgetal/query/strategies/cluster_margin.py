"""`cluster_margin`: uncertain images from as many clusters as possible."""

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from budgetal.measures import margin
from budgetal.query.kernels import top_k
from budgetal.query.kernels.average_linkage import average_linkage
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_CANDIDATES_A_PICK = 10
_ROWS_A_CLUSTER = 10


@strategy(
    "cluster_margin",
    needs=("probs", "embeddings"),
    source="Citovsky et al. 2021",
    cost="O(N (m + 2048 d)); k-means beside it O(1.4·10^9 d) at most",
    prefix_stable=False,
)
def cluster_margin(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """The 10 n most uncertain images, taken in turn from each cluster, smallest cluster first.

    Average-linkage clusters of the pool, 10 images each on average; of the 10 n images of smallest margin, one
    drawn at random from each cluster in turn, clusters in ascending order of how many of them they hold, until n are
    picked (Citovsky et al., NeurIPS 2021). Hierarchical clustering of many images is quadratic: beyond 2,048 it
    joins centres of k-means, and there are at most 1,024 clusters.
    """
    uncertainty = margin(pool.probs)
    candidates = top_k(uncertainty, _CANDIDATES_A_PICK * n)
    clusters = average_linkage(pool.embeddings, max(1, len(pool) // _ROWS_A_CLUSTER), rng)[candidates]
    shuffled = torch.from_numpy(rng.permutation(len(candidates))).to(candidates.device)
    rows = candidates[shuffled[smallest_first_by_turns(clusters[shuffled])[:n]]]
    return Selection(rows, uncertainty[rows], uncertainty=uncertainty[rows])


def smallest_first_by_turns(clusters: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Rows by turns: the first of each cluster, smallest cluster first, then the second of each, and so on."""
    sizes = torch.bincount(clusters)
    grouped = torch.argsort(clusters, stable=True)
    starts = sizes.cumsum(0) - sizes
    turn = torch.arange(len(clusters), device=clusters.device) - starts[clusters[grouped]]
    place = torch.empty_like(sizes)
    place[torch.argsort(sizes, stable=True)] = torch.arange(len(sizes), device=sizes.device)
    return grouped[torch.argsort(turn * len(sizes) + place[clusters[grouped]])]
