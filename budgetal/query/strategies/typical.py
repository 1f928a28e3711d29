"""Typical images, one of each cluster by turns: what `typiclust` and the first query of `informative` share."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from budgetal.measures import Rows, knn_density
from budgetal.query.kernels import kmeans
from budgetal.query.view import Selection

_NEIGHBOURS = 20
_FEW_ROWS = 256


def most_typical(embeddings: Rows, n: int, rng: np.random.Generator) -> Selection:
    """From each of n k-means clusters the densest image, largest cluster first.

    TypiClust (Hacohen, Dekel & Weinshall, ICML 2022) where nothing is labelled. Where clusters stay empty
    (duplicate images), the second densest of the others follow, and so on.
    """
    clusters = kmeans(embeddings, n, rng)
    sizes = torch.bincount(clusters, minlength=n)
    rows, density = densest_by_turns(embeddings, clusters, torch.argsort(sizes, descending=True, stable=True), n)
    return Selection(rows, density, correlation=density, weights={"alpha": 0.0})


def densest_by_turns(
    embeddings: Rows, clusters: Int[Tensor, " n"], order: Int[Tensor, " clusters"], k: int
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """k rows and their density: the densest of each cluster in `order`, then the second densest of each, and so on.

    Density is `knn_density` inside the cluster over the 20 nearest, so that no neighbours are sought in the
    whole pool. It is taken once, and only in clusters that are picked from. Ties go to the lowest row.
    """
    sizes = torch.bincount(clusters, minlength=len(order))
    order = order[sizes[order] > 0][:k]
    visited = torch.isin(clusters, order)
    density = _density_in_cluster(embeddings, clusters, visited)
    rows = _by_turns(clusters, density, order)[:k]
    return rows, density[rows]


def _density_in_cluster(embeddings: Rows, clusters: Tensor, visited: Bool[Tensor, " n"]) -> Tensor:
    density = torch.zeros(len(embeddings), device=embeddings.device)
    grouped = torch.argsort(clusters, stable=True)
    sizes = torch.bincount(clusters[visited]).tolist()
    for members in torch.split(grouped[visited[grouped]], sizes):
        density[members] = _density(embeddings[members])
    return density


def _density(vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """`knn_density`; of few rows, with all products at once and without asking who the neighbours are."""
    if not 1 < len(vectors) <= _FEW_ROWS:
        return knn_density(vectors, _NEIGHBOURS)
    products = (vectors @ vectors.T).fill_diagonal_(-torch.inf)
    nearest = products.topk(min(_NEIGHBOURS, len(vectors) - 1)).values
    return nearest.clamp(0, 1).mean(dim=1)


def _by_turns(clusters: Tensor, density: Tensor, order: Tensor) -> Tensor:
    """Rows of the clusters in `order`: the densest of each, then the second densest of each, and so on."""
    by_density = torch.argsort(density, descending=True, stable=True)
    grouped = by_density[torch.argsort(clusters[by_density], stable=True)]
    sizes = torch.bincount(clusters)
    starts = sizes.cumsum(0) - sizes
    turn = torch.arange(len(clusters), device=clusters.device) - starts[clusters[grouped]]
    place = torch.full_like(sizes, len(clusters))
    place[order] = torch.arange(len(order), device=order.device)
    inside = place[clusters[grouped]] < len(order)
    return grouped[inside][torch.argsort((turn * len(order) + place[clusters[grouped]])[inside])]
