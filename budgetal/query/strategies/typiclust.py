"""`typiclust`: a typical image of each cluster that has no label yet."""

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from budgetal.query.kernels.kmeans import kmeans_centres, nearest_centre
from budgetal.query.strategies.typical import densest_by_turns
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_MOST_CLUSTERS = 500
_SMALLEST_CLUSTER = 6


@strategy(
    "typiclust",
    needs=("embeddings", "labelled_embeddings"),
    source="Hacohen et al. 2022",
    cost="O((N + L + 1280 K) d K + N² d / K), K = min(500, L + n)",
    prefix_stable=False,
    cold_start=True,
)
def typiclust(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """The most typical image of each cluster without a label, largest cluster first.

    Pool and labelled images are put into K = min(500, L + n) clusters by k-means, clusters sorted by labels
    (fewest first), then by size (largest first), and each in turn gives its most typical image, the turns starting
    again when clusters run out; clusters of at most 5 are left for last (Hacohen, Dekel & Weinshall, ICML 2022, and
    the authors' code). Typicality is the mean cosine with the 20 nearest of the cluster's pool images, which orders
    unit vectors as the code's mean squared distance does; it is taken once, not again after each pick of a cluster.
    """
    n_clusters = min(_MOST_CLUSTERS, len(pool.labelled_embeddings) + n)
    centres = kmeans_centres([pool.labelled_embeddings, pool.embeddings], n_clusters, rng)
    clusters = nearest_centre(pool.embeddings, centres)
    open_sizes = torch.bincount(clusters, minlength=n_clusters)
    labels = torch.bincount(nearest_centre(pool.labelled_embeddings, centres), minlength=n_clusters)
    order = _fewest_labels_first(labels, open_sizes + labels)
    large = order[(open_sizes + labels)[order] >= _SMALLEST_CLUSTER]
    enough = int(open_sizes[large].sum()) >= n
    rows, density = densest_by_turns(pool.embeddings, clusters, large if enough else order, n)
    return Selection(rows, density, correlation=density)


def _fewest_labels_first(labels: Int[Tensor, " k"], sizes: Int[Tensor, " k"]) -> Int[Tensor, " k"]:
    by_size = torch.argsort(sizes, descending=True, stable=True)
    return by_size[torch.argsort(labels[by_size], stable=True)]
