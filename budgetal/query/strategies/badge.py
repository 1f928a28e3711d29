"""`badge`: gradients that are long, so the model is unsure, and that differ from each other."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.query.kernels import kmeans_pp
from budgetal.query.strategy import strategy
from budgetal.query.view import PoolView, Selection


@strategy("badge", needs=("probs", "embeddings"), source="Ash et al. 2020", cost="O(N (m + d) n) at worst")
def badge(pool: PoolView, n: int, rng: np.random.Generator) -> Selection:
    """Images whose gradients are large and differ from each other (k-means++ on gradient embeddings).

    g_i = (p_i - e_ŷ) ⊗ f_i is the gradient of the loss with respect to the last layer, if the label were
    the predicted ŷ = argmax p_i. Drawn with probability in proportion to min_j ‖g_i - g_j‖², j over the
    images drawn before, which is the score; the first has the largest ‖g_i‖. Ash, Zhang, Krishnamurthy, Langford
    & Agarwal, ICLR 2020, with embeddings of length 1, as all of a pool's are. g is never formed.
    """
    rows, squared_distances = kmeans_pp((_residuals(pool.probs), pool.embeddings), n, rng)
    return Selection(rows=rows, scores=squared_distances)


def _residuals(probs: Float[Tensor, "n classes"]) -> Float[Tensor, "n classes"]:
    """p - e_ŷ, the gradient with respect to the logits; of equal probabilities the first class is predicted."""
    predicted = probs.argmax(dim=1, keepdim=True)
    return probs.scatter_add(1, predicted, torch.full_like(predicted, -1, dtype=probs.dtype))
