"""`random`: passive learning, what every other strategy must beat."""

import numpy as np
import torch

from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("random", needs=(), source="passive learning, the paper's baseline", cost="O(N)", cold_start=True)
def random(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images drawn uniformly at random, without looking at them.

    Each set of n images has the same chance. Passive learning, the baseline of the paper and the one that no strategy
    may fall below (the guard); its scores are 0.
    """
    rows = torch.from_numpy(rng.permutation(len(pool))[:n]).to(pool.id_ranks.device)
    return Selection(rows=rows, scores=pool.probs.new_zeros(n))
