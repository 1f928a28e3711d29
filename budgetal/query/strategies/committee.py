"""`committee`: query by committee, weighted by density and novelty."""

import numpy as np

from budgetal.measures.disagreement import kl_to_mean, regional_density
from budgetal.query.kernels import greedy_informative
from budgetal.query.strategies.given import given
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy(
    "committee",
    needs=("committee", "embeddings", "labelled_embeddings"),
    source="Cohn et al. 1994; McCallum & Nigam 1998",
    cost="O(N (c m + d (L + n))) at worst",
)
def committee(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images on which a committee of models disagrees most, where the pool is dense, unlike those picked before.

    Mean KL(p_j ‖ mean p) times exp(-β mean_h (1 - f_h·f_i)), β = 3, times 1 - r. Disagreement of hypotheses that
    agree with the labels is Cohn, Atlas & Ladner (Machine Learning 1994); its strength, times density, is what
    McCallum & Nigam (ICML 1998) found better than disagreement alone. Theirs are densities of words, these of
    embeddings. They refit after every image; in a batch, r, the largest cosine with a labelled or picked image,
    keeps the members' dispute over one class from filling it all.
    """
    disagreement = kl_to_mean(given(pool.committee, "committee"))
    density = regional_density(pool.embeddings)
    picks = greedy_informative(disagreement * density, pool.embeddings, pool.labelled_embeddings, gamma=1, k=n)
    rows = picks.rows
    return Selection(rows, picks.scores, disagreement[rows], density[rows], picks.redundancy)
