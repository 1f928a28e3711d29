"""`bald`."""

import numpy as np

from budgetal import measures
from budgetal.query.strategies.by_uncertainty import most_uncertain
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("bald", needs=("passes",), source="Gal et al. 2017", cost="O(N t m)")
def bald(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose label would tell most about the model: several passes are sure, but of different classes.

    Mutual information of label and model, H(mean_t p_t) - mean_t H(p_t), over dropout passes or an ensemble
    (Gal, Islam & Ghahramani, ICML 2017). The n highest are taken, as there; they may resemble each other.
    """
    return most_uncertain(measures.bald(given(pool.passes, "passes")), n)
