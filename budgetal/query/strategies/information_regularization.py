"""`information_regularization`: where the predicted label changes although the images lie close."""

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures import knn
from budgetal.measures.information import local_label_information, region_variance
from budgetal.query.kernels.regions import apart
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_NEIGHBOURS = 10
_REFERENCE_ROWS = 4096


@strategy(
    "information_regularization",
    needs=("probs", "embeddings"),
    source="Szummer & Jaakkola 2002",
    cost="O(4096 N d)",
)
def information_regularization(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images in dense regions over which the predicted label changes, first one of each region.

    A region Q is an image with its 10 nearest neighbours, its score M_Q / V_Q · I_Q: the mutual information
    I_Q of label and image inside it (`measures.information`), its mass M_Q, the same for all, and V_Q the
    variance of its embeddings, at least 1 % of the mean one, so that near-duplicates do not win by rounding.
    Martin Szummer & Tommi Jaakkola, "Information regularization with partially labeled data", NIPS 2002:
    there the largest of these numbers regularises a classifier; here it says where a label decides most.
    Neighbours are sought among at most 4,096 images, evenly spaced in the order of ids.
    """
    among = spread_rows(len(pool), _REFERENCE_ROWS, pool.embeddings.device)
    neighbours = knn(pool.embeddings, _NEIGHBOURS, among)[1]
    information = local_label_information(pool.probs, neighbours)
    scores = information * _mass_by_variance(pool.embeddings, neighbours)
    rows = apart(scores, neighbours, n)
    return Selection(rows=rows, scores=scores[rows])


def _mass_by_variance(embeddings: Float[Tensor, "n d"], neighbours: Int[Tensor, "n k"]) -> Float[Tensor, " n"]:
    variance = region_variance(embeddings, neighbours)
    mass = (neighbours.shape[1] + 1) / len(embeddings)
    return mass / variance.clamp(min=max(1e-6, 0.01 * float(variance.mean())))
