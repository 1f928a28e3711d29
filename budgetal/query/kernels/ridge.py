"""A classifier in closed form."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

_PENALTY = 1e-3


def ridge_probs(
    vectors: Float[Tensor, "s d"],
    targets: Int[Tensor, " s"],
    n_classes: int,
    queries: Float[Tensor, "n d"],
) -> Float[Tensor, "n classes"]:
    """Class probabilities of `queries` by ridge regression of the one-hot targets on `vectors`.

    ȳ + (x - x̄) W, W = (X̃ᵀX̃ / s + 0.001 I)⁻¹ X̃ᵀỸ / s, with X̃ and Ỹ centred: the rows sum to 1. What is
    negative becomes 0 and the rest is divided by its sum. O((s + n) d (d + m)). A class without a target
    gets 0. Needs at least one vector and targets in 0 … n_classes - 1.
    """
    labels = F.one_hot(targets.long(), n_classes).to(vectors)
    mean, share = vectors.mean(dim=0), labels.mean(dim=0)
    centred = vectors - mean
    covariance = (centred.T @ centred / len(vectors)).double()
    penalty = _PENALTY * torch.eye(len(mean), dtype=torch.float64, device=vectors.device)
    cross = (centred.T @ (labels - share) / len(vectors)).double()
    slopes = torch.linalg.solve(covariance + penalty, cross).float()
    scores = torch.addmm(share - mean @ slopes, queries, slopes).clamp_(min=0)
    return scores.div_(scores.sum(dim=1, keepdim=True))
