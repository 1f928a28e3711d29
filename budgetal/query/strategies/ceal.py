"""`ceal`: the half of cost-effective active learning that asks people."""

import numpy as np

from budgetal import measures
from budgetal.query.strategies.by_uncertainty import most_uncertain
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("ceal", needs=("probs",), source="Wang et al. 2017", cost="O(N m)")
def ceal(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images of highest entropy go to people; those of low entropy are for the automatic labeller.

    CEAL (Wang et al., IEEE TCSVT 2017) queries by least confidence, margin or entropy; this is the last, which
    its automatic half uses too: see `budgetal.measures.high_confidence`. By itself the same as `entropy`.
    """
    return most_uncertain(measures.entropy(pool.probs), n)
