"""`entropy`."""

import numpy as np

from budgetal import measures
from budgetal.query.strategies.by_uncertainty import most_uncertain
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("entropy", needs=("probs",), source="Settles 2009", cost="O(N m)")
def entropy(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose class probabilities have the highest entropy.

    -Σ p log p / log m over the m classes, with 0 log 0 = 0 (Settles, "Active learning literature survey", 2009). Unlike
    `margin` it counts how the unlikely classes share what is left.
    """
    return most_uncertain(measures.entropy(pool.probs), n)
