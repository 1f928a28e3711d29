"""`margin`."""

import numpy as np

from budgetal import measures
from budgetal.query.strategies.by_uncertainty import most_uncertain
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("margin", needs=("probs",), source="Joshi et al. 2009", cost="O(N m)")
def margin(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Best versus second best: images whose two likeliest classes are closest.

    1 - (p_(1) - p_(2)), p_(1) the largest probability and p_(2) the next (Joshi, Porikli & Papanikolopoulos,
    "Multi-class active learning for image classification", CVPR 2009).
    """
    return most_uncertain(measures.margin(pool.probs), n)
