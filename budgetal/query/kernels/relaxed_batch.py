"""The batch that maximises mᵀDm - c·1ᵀm over the box 0 ≤ m ≤ 1, with c such that the batch has the size asked for.

D_ij = Σ_l (p_il - p_jl)(log p_il - log p_jl), the symmetric divergence, which splits into -H_i - H_j - p_i·log p_j -
p_j·log p_i: products with D take O(n m) and D is never stored. D_ii = λ H_i, H in nats.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_SMALLEST = 1e-6  # added to every probability: the logarithm of 0 is no number
_STEPS = 300
_POWER_STEPS = 30
_BISECTIONS = 60


@dataclass(frozen=True)
class DivergenceMatrix:
    """D by its factors: probabilities, their logarithms, their entropies in nats and λ."""

    probs: Float[Tensor, "n classes"]
    logs: Float[Tensor, "n classes"]
    nats: Float[Tensor, " n"]
    balance: float

    @classmethod
    def of(cls, probs: Float[Tensor, "n classes"], balance: float) -> "DivergenceMatrix":
        """D of these probabilities, smoothed by 1e-6, with λ = `balance`."""
        smooth = (probs.double() + _SMALLEST) / (1 + _SMALLEST * probs.shape[1])
        logs = smooth.log()
        return cls(smooth, logs, -(smooth * logs).sum(dim=1), balance)

    def times(self, weights: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """D · weights."""
        own = self.balance * self.nats * weights - self.nats * weights.sum() - self.nats @ weights
        return own - self.probs @ (self.logs.T @ weights) - self.logs @ (self.probs.T @ weights)


def relaxed_batch(matrix: DivergenceMatrix, size: int) -> tuple[Float[Tensor, " n"], float]:
    """m with Σ m = `size` at a maximum of mᵀDm over that slice of the box, and the c of which it is a solution.

    Projected gradient ascent from nearly equal weights: 300 steps of the length that makes each an ascent, each
    followed by the projection clip(y - s, 0, 1), whose shift s is found by bisection; s over the step's length is c,
    the multiplier of Σ m = `size`. The maximum is a local one: the problem is not concave. O(n m) a step.
    """
    # Equal weights are a saddle where predictions repeat; a little less for later rows leads away from it.
    falling = torch.linspace(1.1, 0.9, len(matrix.nats), dtype=torch.float64, device=matrix.nats.device)
    weights, _ = _projected(falling * size / len(matrix.nats), size)
    step = 1 / _curvature(matrix)
    shift = matrix.nats.new_zeros(())
    for _ in range(_STEPS):
        weights, shift = _projected(weights + 2 * step * matrix.times(weights), size)
    return weights, float(shift / step)


def _curvature(matrix: DivergenceMatrix) -> float:
    """Largest |eigenvalue| of 2 D among directions that keep Σ m, by power iteration, and a tenth more."""
    direction = torch.linspace(-1, 1, len(matrix.nats), dtype=torch.float64, device=matrix.nats.device)
    size = direction.new_ones(())
    for _ in range(_POWER_STEPS):
        direction = direction / direction.norm().clamp(min=1e-12)
        image = 2 * matrix.times(direction)
        direction = image - image.mean()
        size = direction.norm()
    return max(1.1 * float(size), 1e-6)


def _projected(point: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The nearest point with Σ m = size in the box, and by how much all of it was shifted down."""
    low, high = point.min() - 1, point.max()
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        too_many = (point - middle).clamp(0, 1).sum() > size
        low, high = torch.where(too_many, middle, low), torch.where(too_many, high, middle)
    return (point - high).clamp(0, 1), high
