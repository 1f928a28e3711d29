"""Greedy choice of images for the information that they bring: forward, then backward, by low-rank updates."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.query.kernels.fisher import quadratic_forms

_OVERSAMPLING = 2
_MEASURED_ANEW = 1 / 16  # of the gain that was the largest when all were measured last


class FisherSearch:
    """Σ_i V_i V_iᵀ of the chosen images is added to `information`; sought is least tr(information⁻¹ · target).

    V_i = x_i ⊗ R_i. Kept up to date for every image: A_i = V_iᵀ M⁻¹ V_i and B_i = V_iᵀ M⁻¹ F M⁻¹ V_i, M the
    information, F the target. By Woodbury's identity image i lowers the trace by tr(B_i (I + A_i)⁻¹), and dropping
    it raises the trace by tr(B_i (I - A_i)⁻¹). O(n d b r + (d b)² r) a change for rank r, O((d b)² + n (d + b r))
    memory; M⁻¹ in double precision.
    """

    def __init__(
        self,
        features: Float[Tensor, "n d"],
        factors: Float[Tensor, "n b rank"],
        information: Float[Tensor, "wide wide"],
        target: Float[Tensor, "wide wide"],
    ) -> None:
        self._columns, self._factors = features.T.contiguous(), factors.permute(2, 1, 0).contiguous()
        self._target = target
        self._inverse = torch.linalg.inv(information)
        self.measure()

    def measure(self) -> None:
        """A_i and B_i from M⁻¹: what rounding left in them after many changes would outgrow small gains."""
        features, both = self._columns.T, self._inverse @ self._target @ self._inverse
        self._a = quadratic_forms(self._inverse, features, self._factors)
        self._b = quadratic_forms(both, features, self._factors)

    def gains(self) -> Float[Tensor, " n"]:
        """By how much each image would lower the trace."""
        return trace_of_ratio(self._b, _identity_like(self._a) + self._a)

    def losses(self, rows: Int[Tensor, " k"]) -> Float[Tensor, " k"]:
        """By how much the trace would rise without each of these chosen rows."""
        a, b = self._a[:, :, rows], self._b[:, :, rows]
        return trace_of_ratio(b, _identity_like(a) - a)

    def trace(self) -> float:
        """tr(information⁻¹ · target) as it is now."""
        return float((self._inverse * self._target).sum())

    def add(self, row: int) -> None:
        """Choose a row."""
        self._change(row, 1)

    def drop(self, row: int) -> None:
        """Take back a chosen row."""
        self._change(row, -1)

    def restrict(self, rows: Int[Tensor, " k"]) -> None:
        """Forget all images but these, which are rows 0 … k - 1 from now on."""
        self._columns, self._factors = self._columns[:, rows], self._factors[:, :, rows]
        self.measure()

    def _change(self, row: int, sign: int) -> None:
        """M⁻¹ ∓ UᵀU, U = L⁻¹VᵀM⁻¹, L Lᵀ = I ± VᵀM⁻¹V, and what follows for all A_i and B_i.

        Vectors are rows here: with a few of them, products from the left are several times as fast.
        """
        v = torch.einsum("d,rb->rdb", self._columns[:, row].double(), self._factors[:, :, row].double()).flatten(1)
        reached = v @ self._inverse
        inner = torch.linalg.cholesky(torch.eye(len(v)).to(v) + sign * (reached @ v.T))
        u = torch.linalg.solve_triangular(inner, reached, upper=False)
        weighted = u @ self._target
        e = weighted @ self._inverse - sign * (weighted @ u.T) @ u / 2
        along = self._projected(torch.cat([u, e]))
        along_u, along_e = along[:, : len(v)], along[:, len(v) :]
        self._a -= sign * _product(along_u, along_u)
        both = _product(along_u, along_e)
        self._b -= sign * (both + both.transpose(0, 1))
        self._inverse.addmm_(u.T, u, alpha=-sign)

    def _projected(self, directions: Tensor) -> Tensor:
        """V_iᵀ · directionsᵀ, rank × directions × n."""
        d, (rank, b, _) = len(self._columns), self._factors.shape
        by_class = directions.float().reshape(-1, d, b).permute(2, 0, 1).reshape(-1, d)
        mapped = (by_class @ self._columns).reshape(b, len(directions), -1)
        return torch.stack([(self._factors[s, :, None] * mapped).sum(dim=0) for s in range(rank)])


def forward_backward(search: FisherSearch, n: int, n_rows: int) -> tuple[Int[Tensor, " n"], Float[Tensor, " n"]]:
    """n rows and their gains when added: min(2n, n_rows) are added, always the best, then always the least is dropped.

    Ties go to the lowest row when adding, to the one added last when dropping.
    """
    rows, gains = _forward(search, min(_OVERSAMPLING * n, n_rows))
    search.restrict(rows)
    kept = torch.arange(len(rows), device=rows.device)
    while len(kept) > n:
        last_first = search.losses(kept).flip(0)
        worst = len(kept) - 1 - int(last_first.argmin())
        search.drop(int(kept[worst]))
        kept = torch.cat([kept[:worst], kept[worst + 1 :]])
    return rows[kept], gains[kept]


def _forward(search: FisherSearch, k: int) -> tuple[Tensor, Tensor]:
    rows: list[int] = []
    taken: list[Tensor] = []
    level = float(search.gains().max())
    for _ in range(k):
        gains = _open_gains(search, rows)
        if float(gains.max()) < _MEASURED_ANEW * level:
            search.measure()
            gains = _open_gains(search, rows)
            level = float(gains.max())
        row = int(gains.argmax())
        search.add(row)
        rows.append(row)
        taken.append(gains[row])
    best = torch.stack(taken)
    return torch.tensor(rows, device=best.device), best


def _open_gains(search: FisherSearch, taken: list[int]) -> Tensor:
    gains = search.gains()
    gains[taken] = -torch.inf
    return gains


def trace_of_ratio(above: Float[Tensor, "r r n"], below: Float[Tensor, "r r n"]) -> Float[Tensor, " n"]:
    """tr(above_i · below_i⁻¹) for positive definite below_i, by eliminating both from the left and the right."""
    above, below = above.clone(), below.clone()
    total = torch.zeros_like(above[0, 0])
    for k in range(len(below)):
        total += above[k, k] / below[k, k]
        for j in range(k + 1, len(below)):
            ratio = below[j, k] / below[k, k]
            below[j, k + 1 :] -= ratio * below[k, k + 1 :]
            above[j] -= ratio * above[k]
            above[:, j] -= ratio * above[:, k]
    return total


def _product(left: Tensor, right: Tensor) -> Tensor:
    """left_i · right_iᵀ."""
    return (left[:, None] * right[None]).sum(dim=2)


def _identity_like(values: Tensor) -> Tensor:
    return torch.eye(len(values), device=values.device)[:, :, None]
