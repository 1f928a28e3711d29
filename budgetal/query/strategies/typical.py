"""The first query, when there is no model yet: one typical image of each cluster."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.measures import knn_density
from budgetal.query.kernels import kmeans
from budgetal.query.view import Selection

_NEIGHBOURS = 20


def most_typical(embeddings: Float[Tensor, "n d"], n: int, rng: np.random.Generator) -> Selection:
    """From each of n k-means clusters the densest image, largest cluster first.

    TypiClust (Hacohen, Dekel & Weinshall, ICML 2022). Density is taken inside the cluster, over the
    20 nearest, so no neighbours are sought in the whole pool. Where clusters stay empty (duplicate
    images), the second densest of the others follow, and so on.
    """
    clusters = kmeans(embeddings, n, rng)
    density = _density_in_cluster(embeddings, clusters)
    rows = _by_turns(clusters, density)[:n]
    return Selection(rows=rows, scores=density[rows], correlation=density[rows], weights={"alpha": 0.0})


def _density_in_cluster(embeddings: Tensor, clusters: Tensor) -> Tensor:
    density = embeddings.new_zeros(len(embeddings))
    for cluster in torch.unique(clusters):
        members = torch.nonzero(clusters == cluster)[:, 0]
        density[members] = knn_density(embeddings[members], _NEIGHBOURS)
    return density


def _by_turns(clusters: Tensor, density: Tensor) -> Tensor:
    """All rows: the densest of each cluster, then the second of each …; largest cluster first."""
    by_density = torch.argsort(density, descending=True, stable=True)
    grouped = by_density[torch.argsort(clusters[by_density], stable=True)]
    sizes = torch.bincount(clusters)
    starts = sizes.cumsum(0) - sizes
    turn = torch.arange(len(clusters), device=clusters.device) - starts[clusters[grouped]]
    largest_first = torch.argsort(sizes[clusters[grouped]], descending=True, stable=True)
    return grouped[largest_first[torch.argsort(turn[largest_first], stable=True)]]
