"""`label_propagation`: where labels spread over the neighbours' graph meet, or do not come."""

import numpy as np
import torch
from torch import Tensor

from budgetal.measures.propagation import affinity_graph, propagate
from budgetal.query.kernels import greedy_informative
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy(
    "label_propagation",
    needs=("embeddings", "labelled_embeddings", "labelled_targets"),
    source="Iscen et al. 2019",
    cost="O((N + L)² d + 100 N m k + N d n), k = 50",
)
def label_propagation(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose label is least sure when labels spread over the nearest neighbours, unlike those picked before.

    Entropy of the spread label over log m, one minus the weight of Iscen et al. (CVPR 2019), times 1 - r. They train
    with that weight and query nothing. An image that no label reaches has entropy 1. A class or cluster without labels
    is unsure as a whole: r, the largest cosine with a labelled or picked image, keeps it from filling the batch. The
    graph of neighbours is exact: beyond some 100,000 images that takes hours without an accelerator.
    """
    vectors = torch.cat([pool.embeddings, pool.labelled_embeddings])
    _, certainty = propagate(affinity_graph(vectors), _targets(pool), pool.n_classes)
    unsure = 1 - certainty[: len(pool)]
    picks = greedy_informative(unsure, pool.embeddings, pool.labelled_embeddings, gamma=1, k=n)
    return Selection(picks.rows, picks.scores, uncertainty=unsure[picks.rows], redundancy=picks.redundancy)


def _targets(pool: PoolView) -> Tensor:
    unknown = torch.full((len(pool),), -1, dtype=torch.int64, device=pool.embeddings.device)
    return torch.cat([unknown, given(pool.labelled_targets, "labelled_targets").to(unknown)])
