"""`synthesis`: make up the most uncertain embeddings, and show the images nearest to them."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures import entropy
from budgetal.measures.chunks import row_blocks
from budgetal.query.strategy import strategy
from budgetal.query.synthesis import ascend, nearest_rows, smoothed_entropy
from budgetal.query.view import PoolView, Selection

_NEIGHBOURS = 20


@strategy(
    "synthesis",
    needs=("probs", "embeddings"),
    source="Angluin 1988; Wang et al. 2015",
    cost="O(n N d)",
)
def synthesis(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images nearest to made-up embeddings of locally highest uncertainty.

    From n random images climb to z* = argmax u(z) in the convex hull of each one's 20 nearest, u the
    entropy of the probabilities smoothed over these, then take the nearest image that is not taken yet.
    """
    starts = torch.from_numpy(rng.permutation(len(pool))[:n]).to(pool.embeddings.device)
    points, values = _optima(pool, starts)
    rows = nearest_rows(points, pool.embeddings)
    return Selection(rows=rows, scores=values, uncertainty=entropy(pool.probs[rows]))


def _optima(pool: PoolView, starts: Int[Tensor, " s"]) -> tuple[Float[Tensor, "s d"], Float[Tensor, " s"]]:
    k = min(_NEIGHBOURS, len(pool))
    found: list[tuple[Tensor, Tensor]] = []
    for block in row_blocks(len(starts), max(len(pool), 2 * k * pool.embeddings.shape[1])):
        places = (pool.embeddings[starts[block]] @ pool.embeddings.T).topk(k, dim=1).indices
        vertices = pool.embeddings[places]
        found.append(ascend(vertices, smoothed_entropy(vertices, pool.probs[places])))
    points, values = zip(*found, strict=True)
    return torch.cat(points), torch.cat(values)
