"""`margin`."""

import numpy as np

from budgetal import measures
from budgetal.query.strategies.by_uncertainty import most_uncertain
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("margin", needs=("probs",), source="Joshi et al. 2009", cost="O(N m)")
def margin(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Best versus second best: images whose two likeliest classes are closest."""
    return most_uncertain(measures.margin(pool.probs), n)
