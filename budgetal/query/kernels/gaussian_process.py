"""Gaussian processes over few features, and the picks that make their predictions certain.

With r features φ(x) and weights w ~ N(0, Σ), f(x) = φ(x)·w is a Gaussian process with kernel φ(x)ᵀΣφ(y). No
covariance depends on labels, so a batch is planned before any of it is labelled.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.chunks import row_blocks
from budgetal.query.kernels.rbf import rbf

_SMALLEST_EIGENVALUE = 1e-6
_MEASURED_ANEW = 1 / 16  # of the reduction that was the largest when all were measured last


@dataclass(frozen=True)
class KernelMap:
    """Features whose inner products are the Gaussian kernel, exactly between inducing rows."""

    inducing: Float[Tensor, "i d"]
    projection: Float[Tensor, "i r"]
    bandwidth: float

    def features(self, vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n r"]:
        """φ(x) for every row, in blocks; one feature after the other in memory, as `greedy_trace` reads them."""
        columns = self.projection.new_empty(self.projection.shape[1], len(vectors))
        for block in row_blocks(len(vectors), len(self.inducing)):
            columns[:, block] = self._block(vectors[block]).T
        return columns.T

    def gram(self, vectors: Float[Tensor, "n d"]) -> Float[Tensor, "r r"]:
        """Σ_i φ(x_i) φ(x_i)ᵀ in double precision, without keeping the features."""
        width = self.projection.shape[1]
        total = self.projection.new_zeros(width, width, dtype=torch.float64)
        for block in row_blocks(len(vectors), len(self.inducing)):
            features = self._block(vectors[block])
            total += (features.T @ features).double()
        return total

    def _block(self, vectors: Tensor) -> Tensor:
        return rbf(vectors, self.inducing, self.bandwidth) @ self.projection


def kernel_map(inducing: Float[Tensor, "i d"], bandwidth: float) -> KernelMap:
    """Nyström features φ(x) = Λ^-½ Uᵀ k(Z, x), k(Z, Z) = U Λ Uᵀ, Z the inducing rows (Williams & Seeger 2001).

    Eigenvalues below a millionth of the largest are left out: duplicates add no feature.
    """
    values, directions = torch.linalg.eigh(rbf(inducing, inducing, bandwidth).double())
    kept = values > _SMALLEST_EIGENVALUE * values.max()
    projection = (directions[:, kept] / values[kept].sqrt()).float()
    return KernelMap(inducing, projection, bandwidth)


def conditioned(covariance: Float[Tensor, "r r"], gram: Float[Tensor, "r r"], noise: float) -> Float[Tensor, "r r"]:
    """Covariance of the weights after observations with `gram` Σ φφᵀ and noise variance σ²: (Σ⁻¹ + G/σ²)⁻¹."""
    unit = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    result: Tensor = torch.linalg.solve(unit + covariance @ gram / noise, covariance)
    return (result + result.T).div_(2)


def greedy_trace(
    features: Float[Tensor, "n r"], covariance: Float[Tensor, "r r"], noise: float, k: int
) -> tuple[Int[Tensor, " k"], Float[Tensor, " k"]]:
    """Pick k rows, each leaving the least mean predictive variance tr(Φ Σ Φᵀ) / n of all n rows.

    By the Schur complement, observing x with noise variance σ² lowers it by φᵀΣMΣφ / (σ² + φᵀΣφ),
    M = ΦᵀΦ / n; Σ loses uuᵀ / (σ² + φᵀu), u = Σφ. Returns rows and reductions. Ties go to the lowest row.
    O(n r) a pick, O(n r²) at first and each time that reductions have fallen sixteenfold. Raises ValueError
    for k not in 0 … n.
    """
    if not 0 <= k <= len(features):
        raise ValueError(f"k must be in 0 … {len(features)}, but is {k}")
    search = _TraceSearch(features, covariance, noise)
    picks = [search.pick() for _ in range(k)]
    rows = torch.tensor([row for row, _ in picks], dtype=torch.int64, device=features.device)
    return rows, features.new_tensor([reduction for _, reduction in picks])


class _TraceSearch:
    """Σ above ΣMΣ in one matrix, φᵀΣφ and φᵀΣMΣφ of every row, kept up to date while rows are observed."""

    def __init__(self, features: Tensor, covariance: Tensor, noise: float) -> None:
        self._features, self._noise = features, noise
        moment = (features.T @ features).double() / max(1, len(features))
        before = covariance.double()
        spread = before @ moment @ before
        self._both = torch.cat([before, spread])
        self._open = features.new_zeros(len(features))
        self._level = float(self._measure().max()) if len(features) else 0.0

    def pick(self) -> tuple[int, float]:
        reductions = self._reductions()
        if reductions.max() < _MEASURED_ANEW * self._level:
            reductions = self._measure()
            self._level = float(reductions.max())
        row = int(reductions.argmax())
        self._open[row] = -torch.inf
        self._observe(self._features[row].double())
        return row, float(reductions[row])

    def _measure(self) -> Tensor:
        """Variance and gain from the matrices: what rounding left in them would outgrow small reductions."""
        covariance, spread = self._both.chunk(2)
        self._variance, self._gain = self._quadratic(covariance), self._quadratic(spread)
        return self._reductions()

    def _reductions(self) -> Tensor:
        return self._gain.clamp(min=0) / (self._variance.clamp(min=0) + self._noise) + self._open

    def _observe(self, feature: Tensor) -> None:
        shift, pull = (self._both @ feature).chunk(2)
        scale = float(self._noise + feature @ shift)
        reduction = float(feature @ pull) / scale
        along, across = torch.stack([shift, pull]).float() @ self._features.T
        self._variance -= along.square() / scale
        self._gain -= along * (2 * across - along * reduction) / scale
        # Σ loses uuᵀ/c and ΣMΣ what follows from it, (uwᵀ + wuᵀ)/c - uuᵀ φᵀw/c²: one product for both.
        above, below = torch.stack([shift, torch.zeros_like(shift)]), torch.stack([pull, scale * shift])
        turned = torch.stack([shift, (pull - reduction * shift) / scale])
        self._both.addmm_(torch.cat([above, below], dim=1).T / scale, turned, alpha=-1)

    def _quadratic(self, matrix: Tensor) -> Tensor:
        result = self._features.new_empty(len(self._features))
        for block in row_blocks(*self._features.shape):
            rows = self._features[block]
            result[block] = ((rows @ matrix.float()) * rows).sum(dim=1)
        return result
