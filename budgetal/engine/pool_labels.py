"""Labels that spread over the pool's nearest neighbours, for a student to learn."""

import numpy as np
import torch
from numpy.typing import NDArray

from budgetal.engine.features import normalised
from budgetal.engine.supplies import GRAPH_NEIGHBOURS, MOST_EXACT
from budgetal.measures.propagation import affinity_graph, propagate
from budgetal.measures.rows import centred, mean_vector
from budgetal.training.head import Floats
from budgetal.types import TrainingSet


def propagated(features: Floats, humans: TrainingSet, told: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Class probabilities (N, m) of every image and how much each is to weigh (N,), from the labels that are `told`.

    features: (N, d) of the pool. The weight is the certainty 1 - H / log m of Iscen et al. (CVPR 2019), over the mean.
    """
    embeddings = torch.from_numpy(normalised(np.asarray(features)))
    rows = centred(embeddings, mean_vector(embeddings))
    graph = affinity_graph(rows, GRAPH_NEIGHBOURS, exact=len(rows) <= MOST_EXACT)
    targets = np.full(len(rows), -1)
    targets[humans.rows[told]] = humans.targets[told]
    probs, certainty = propagate(graph, torch.from_numpy(targets), humans.n_classes)
    weights = certainty.numpy()
    return probs.numpy(), (weights / max(float(weights.mean()), 1e-12)).astype(np.float32)
