"""`least_confidence`."""

import numpy as np

from budgetal import measures
from budgetal.query.strategies.by_uncertainty import most_uncertain
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("least_confidence", needs=("probs",), source="Settles 2009", cost="O(N m)")
def least_confidence(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose likeliest class is least likely.

    1 - p_(1), p_(1) the largest probability (Settles, "Active learning literature survey", 2009). For two classes the
    same order as `margin` and `entropy`.
    """
    return most_uncertain(measures.least_confidence(pool.probs), n)
