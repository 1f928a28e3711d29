"""Fisher information of a softmax layer, Σ_i x_i x_iᵀ ⊗ (diag p_i - p_i p_iᵀ), whole and as factors of one image.

Rows and columns of a d·b wide matrix run over features, then over classes (or directions of a class basis).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.measures.chunks import row_blocks


def class_factors(probs: Float[Tensor, "n classes"], rank: int) -> Float[Tensor, "n classes rank"]:
    """R_i with R_i R_iᵀ = diag p_i - p_i p_iᵀ, exactly from rank m - 1 on, else without what the rarest classes add.

    The first columns of the Cholesky factor with the likeliest class first: class k takes √(p_k q_k / q_(k-1)), the
    rarer j take -p_j √(p_k / (q_(k-1) q_k)), q_k = 1 - p_1 - … - p_k (Tanabe & Sagae, JRSS B 1992). A column is 0
    once nothing is left, as for a certain prediction.
    """
    left = probs / probs.sum(dim=1, keepdim=True)
    columns = []
    for _ in range(rank):
        columns.append(_first_column(left))
        left = left.scatter(1, left.argmax(dim=1, keepdim=True), 0)
    return torch.stack(columns, dim=2)


def _first_column(left: Tensor) -> Tensor:
    """The Cholesky column of the likeliest of the classes that are left, whose probabilities sum to q_(k-1)."""
    before = left.sum(dim=1, keepdim=True)
    best, place = left.max(dim=1, keepdim=True)
    others = left.scatter(1, place, 0)
    after = others.sum(dim=1, keepdim=True)
    scale = (best / (before * after)).sqrt()
    return torch.where(after > 1e-12, (-others * scale).scatter(1, place, after * scale), 0)


def fisher_sum(
    features: Float[Tensor, "n d"], probs: Float[Tensor, "n classes"], basis: Float[Tensor, "classes b"]
) -> Float[Tensor, "wide wide"]:
    """Σ_i x_i x_iᵀ ⊗ Bᵀ(diag p_i - p_i p_iᵀ)B in double precision, wide = d·b, for a class basis B.

    As one matrix product over the images: O(n d² b² / 4) time, O((d b)²) memory besides a block.
    """
    d, b = features.shape[1], basis.shape[1]
    total = features.new_zeros(d * (d + 1) // 2, b * (b + 1) // 2, dtype=torch.float64)
    for block in row_blocks(len(features), len(total) + probs.shape[1]):
        covariances = probs[block] @ _pair_products(basis) - _pair_products(probs[block] @ basis)
        total += _pair_products(features[block]).T @ covariances
    full = total[_pair_places(d)][:, :, _pair_places(b)]
    return full.permute(0, 2, 1, 3).reshape(d * b, d * b)


def quadratic_forms(
    matrix: Float[Tensor, "wide wide"], features: Float[Tensor, "n d"], factors: Float[Tensor, "rank b n"]
) -> Float[Tensor, "rank rank n"]:
    """V_iᵀ · matrix · V_i for V_i = x_i ⊗ R_i and a symmetric matrix. O(n d² b² / 2) time."""
    folded = _folded(matrix, features.shape[1], factors.shape[1]).float()
    result = features.new_empty(len(factors), len(factors), len(features))
    for block in row_blocks(len(features), len(folded)):
        inner = (folded.T @ _pair_products(features[block]).T).reshape(factors.shape[1], factors.shape[1], -1)
        result[:, :, block] = torch.einsum("sbn,bcn,tcn->stn", factors[:, :, block], inner, factors[:, :, block])
    return result


def _folded(matrix: Tensor, d: int, b: int) -> Tensor:
    """The b × b block of each pair of features d ≤ e, with that of (e, d) added: x_d x_e multiplies both."""
    blocks = matrix.reshape(d, b, d, b).permute(0, 2, 1, 3)
    rows, columns = torch.triu_indices(d, d, device=matrix.device)
    folded = (blocks[rows, columns] + blocks[columns, rows]).reshape(-1, b * b)
    folded[rows == columns] /= 2
    return folded


def leading_directions(moment: Float[Tensor, "k k"], width: int) -> Float[Tensor, "k width"]:
    """The eigenvectors of the `width` largest eigenvalues; all unit vectors, untouched, where width is k."""
    if width >= len(moment):
        return torch.eye(len(moment), device=moment.device)
    ascending: Tensor = torch.linalg.eigh(moment.double()).eigenvectors
    return ascending[:, -width:].float()


def _pair_products(values: Tensor) -> Tensor:
    """v_i v_j of each row for the pairs i ≤ j, in the order of `torch.triu_indices`."""
    return torch.cat([values[:, i : i + 1] * values[:, i:] for i in range(values.shape[1])], dim=1)


def _pair_places(size: int) -> Tensor:
    """Where among the pairs (i, j) and (j, i) stand."""
    rows, columns = torch.triu_indices(size, size)
    places = torch.empty(size, size, dtype=torch.int64)
    places[rows, columns] = places[columns, rows] = torch.arange(len(rows))
    return places
