"""`prob_cover`: balls around picked images that hold most of the pool."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import cached_row_blocks
from budgetal.query.kernels import kmeans
from budgetal.query.kernels.ball_cover import ball_cover
from budgetal.query.kernels.max_cover import reference_size
from budgetal.query.kernels.spread_rows import spread_rows
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection

_PURITY = 0.95
_TESTED_BALLS = 4096


@strategy(
    "prob_cover",
    needs=("embeddings", "labelled_embeddings"),
    source="Yehuda et al. 2022",
    cost="O(N d (R + 4096 + L)), R = N, or 4096 where N > 32768",
    cold_start=True,
)
def prob_cover(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose surroundings hold most of what is near no labelled or picked image yet.

    Greedy argmax_i |B_δ(x_i) \\ covered|, B_δ(x) the images nearer than δ; labelled images cover first (Yehuda,
    Dekel, Hacohen & Weinshall, NeurIPS 2022). δ is the largest radius where 95 % of balls are of one cluster,
    of m clusters by k-means, m classes: see `pure_radius`. Of a pool of more than 32,768 images, a sample of 4,096 is
    covered. When all is covered, images follow in the order of ids, which is random. Scores are counts.
    """
    radius = pure_radius(pool.embeddings, kmeans(pool.embeddings, min(pool.n_classes, len(pool)), rng))
    covered = pool.embeddings[spread_rows(len(pool), reference_size(len(pool)), pool.embeddings.device)]
    rows, counts = ball_cover(pool.embeddings, covered, pool.labelled_embeddings, n, radius)
    return Selection(rows, counts.float(), weights={"radius": min(radius, 2.0)})


def pure_radius(embeddings: Float[Tensor, "n d"], clusters: Int[Tensor, " n"]) -> float:
    """Largest δ for which 95 % of the balls ‖x - x_i‖ < δ hold images of one cluster only; ∞ for one cluster.

    A ball is pure up to the nearest image of another cluster, so δ is the largest number that 95 % of these
    distances reach. They are exact, of at most 4,096 balls, evenly spaced over the pool.
    """
    balls = spread_rows(len(embeddings), _TESTED_BALLS, embeddings.device)
    nearest = torch.full((len(balls),), torch.inf, device=embeddings.device)
    centres, half = embeddings[balls], embeddings[balls].square().sum(dim=1) / 2
    for block in cached_row_blocks(len(embeddings), len(balls), embeddings.device):
        halves = (embeddings[block] @ centres.T).neg_().add_(embeddings[block].square().sum(dim=1, keepdim=True) / 2)
        halves.masked_fill_(clusters[block, None] == clusters[balls], torch.inf)
        nearest = torch.minimum(nearest, halves.amin(dim=0))
    squares = (2 * (nearest + half)).clamp_(min=0).sort().values
    return float(squares[len(balls) - math.ceil(_PURITY * len(balls))].sqrt())
