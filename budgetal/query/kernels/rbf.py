"""The Gaussian kernel exp(-‖x - y‖² / 2ℓ²), and a bandwidth ℓ for it."""

import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.query.kernels.spread_rows import spread_rows

_BANDWIDTH_ROWS = 512
_ALIKE = 1e-4  # closer than this is rounding noise between duplicates


def rbf(left: Float[Tensor, "n d"], right: Float[Tensor, "r d"], bandwidth: float) -> Float[Tensor, "n r"]:
    """exp(-‖x_i - y_j‖² / 2ℓ²) of every pair, ℓ = `bandwidth`; n · r numbers, so call it in blocks."""
    squares = torch.addmm(right.square().sum(dim=1), left, right.T, alpha=-2)
    squares += left.square().sum(dim=1, keepdim=True)
    return squares.clamp_(min=0).mul_(-0.5 / bandwidth**2).exp_()


def median_bandwidth(vectors: Float[Tensor, "n d"]) -> float:
    """Median distance between different ones of at most 512 evenly spaced rows; 1 where there are none.

    The median heuristic (Gretton et al., JMLR 2012).
    """
    distances = torch.pdist(vectors[spread_rows(len(vectors), _BANDWIDTH_ROWS, vectors.device)])
    apart = distances[distances > _ALIKE]
    return float(apart.median()) if len(apart) else 1.0
