"""`propagation`: labels spread over the graph of nearest neighbours."""

import numpy as np
import torch

from budgetal.annotators.confidence.crossed import judged_by_others
from budgetal.annotators.confidence.source import source
from budgetal.annotators.confidence.view import ConfidenceView, Scored
from budgetal.annotators.proposals import Proposals
from budgetal.measures.propagation import propagate
from budgetal.types import RowArray


@source("propagation", origin="Iscen et al. 2019")
def propagation(view: ConfidenceView, rng: np.random.Generator) -> Scored:
    """The certainty of labels that spread over the 20 nearest neighbours of every image, 1 - H / log m.

    The model's predictions play no part, its embeddings do. A held-out image is judged by labels that spread from the
    labelled images of other folds alone.
    """

    def judge(positions: RowArray, rows: RowArray) -> Proposals:
        found = spread(view, positions)
        return Proposals(found.targets[rows], found.scores[rows])

    return Scored(spread(view, np.arange(len(view.rows))), judged_by_others(view, judge, rng))


def spread(view: ConfidenceView, positions: RowArray) -> Proposals:
    """The class that each image of the pool gets from the labelled images at `positions`, and its certainty."""
    targets = torch.full((len(view.probs),), -1)
    targets[torch.from_numpy(view.rows[positions])] = torch.from_numpy(view.targets[positions])
    probs, certainty = propagate(view.graph, targets, view.n_classes)
    return Proposals(probs.argmax(dim=1).numpy(), certainty.numpy())
