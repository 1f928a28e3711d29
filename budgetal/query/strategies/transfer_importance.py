"""`transfer_importance`: drawn by how much source and model disagree, with weights that undo the bias."""

import numpy as np
import torch

from budgetal.measures import least_confidence
from budgetal.query.kernels.ridge import ridge_probs
from budgetal.query.kernels.weighted_sample import weighted_sample
from budgetal.query.strategies.shared_source import shared_source
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_LEAST = 0.1


@strategy(
    "transfer_importance",
    needs=("probs", "embeddings", "shared_source"),
    source="Kale & Liu 2013",
    cost="O((N + S) d (d + m) + N log N), S source images",
)
def transfer_importance(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images drawn at random, the likelier the more a classifier of the source and the model disagree.

    q_i = max(0.1, max_y |s_iy - p_iy|, 1 - max_y p_iy): the range of the loss 1 - p_y over the two hypotheses,
    s a ridge regression fitted to the source and p the model, and the loss that the model expects of itself.
    n images are drawn without replacement by q (`kernels.weighted_sample`). The score of a pick is
    its probability π_i of being drawn, 1/π_i its importance weight: labels weighted so estimate the
    pool's without bias. David Kale & Yan Liu, "Accelerating active learning with transfer learning", ICDM 2013,
    on the loss-weighting of Beygelzimer, Dasgupta & Langford, ICML 2009. There instances come as a stream, and
    the range is over all hypotheses near the source's that the labels still allow.
    """
    source = shared_source(pool)
    theirs = ridge_probs(source.embeddings, source.targets, pool.n_classes, pool.embeddings)
    disagreement = theirs.sub_(pool.probs).abs_().amax(dim=1)
    uncertainty = least_confidence(pool.probs)
    chances = torch.maximum(disagreement, uncertainty).clamp(min=_LEAST, max=1)
    rows, drawn = weighted_sample(chances, n, rng)
    return Selection(rows, drawn, uncertainty=uncertainty[rows], weights={"least_probability": _LEAST})
