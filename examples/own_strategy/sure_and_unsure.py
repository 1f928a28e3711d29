"""A query strategy in a package of its own: installed, it is there as strategy = "sure_and_unsure"."""

import numpy as np
import torch

from budgetal.measures import margin
from budgetal.query import PoolView, Selection, strategy


@strategy("sure_and_unsure", needs=("probs",), source="this tutorial", cost="O(N m + N log N)", prefix_stable=False)
def sure_and_unsure(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Half from the least sure images, half from the surest, where hidden mistakes lie."""
    uncertainty = margin(pool.probs)
    order = torch.argsort(uncertainty, descending=True, stable=True)
    n_sure = n // 2
    rows = torch.cat([order[: n - n_sure], order[len(order) - n_sure :]])
    return Selection(rows=rows, scores=uncertainty[rows], uncertainty=uncertainty[rows])
