"""`hierarchical_transfer`: clusters that source and labels do not settle."""

import numpy as np

from budgetal.query.kernels.cluster_tree import ClusterTree
from budgetal.query.kernels.weighted_sample import weighted_sample
from budgetal.query.strategies.shared_source import known_classes
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_TOLERANCE = 0.05


@strategy(
    "hierarchical_transfer",
    needs=("embeddings", "labelled_embeddings", "labelled_targets", "shared_source"),
    source="Kale et al. 2015",
    cost="O((N + S + L) d h), h ≤ 32 levels, S source images",
    cold_start=True,
)
def hierarchical_transfer(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images of clusters whose class the labels of source and project leave open, in a tree of clusters.

    A node whose majority class has a share of at least 1 - ε, ε = 0.05, by its lower confidence bound is
    accepted, else split where that lowers the bound on the error (`kernels.cluster_tree`). Nodes of this
    cut are drawn by size · (1 - LCB), an image uniformly inside: so each image by 1 - LCB, without replacement.
    David Kale, Marjan Ghazvininejad, Anil Ramakrishna, Jingrui He & Yan Liu, "Hierarchical active transfer
    learning", SDM 2015, after Dasgupta & Hsu, ICML 2008. There the tree is built from the bottom by Ward's
    linkage, O(N²), and the cut changes with every label; here 2-means splits from the top and a batch shares one
    cut. The score of a pick is its 1 - LCB.
    """
    known, targets = known_classes(pool)
    tree = ClusterTree(pool.embeddings, known, targets, pool.n_classes, _TOLERANCE)
    bounds = tree.error_bounds(rng)
    rows, _ = weighted_sample(bounds, n, rng)
    return Selection(rows=rows, scores=bounds[rows], weights={"tolerance": _TOLERANCE})
