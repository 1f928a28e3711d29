"""How much an image stands for others, and how much others stand for it already (docs/method.md).

Feature correlation q^F_ij = max(0, f_i·f_j) and label correlation q^Y_ij = Σ_l p_il p_jl, mixed as
q = λ q^F + (1-λ) q^Y (Fu, Zhu & Li 2012). Rows of `embeddings` are L2-normalised, so all lie in [0, 1].
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import probabilities, unit_vectors
from budgetal.measures.chunks import cached_row_blocks
from budgetal.measures.neighbours import knn
from budgetal.measures.rows import Rows, mean_vector, unit_rows


def knn_density(embeddings: Rows, k: int = 20, among: Int[Tensor, " r"] | None = None) -> Float[Tensor, " n"]:
    """Mean of max(0, f_i·f_j) over the k nearest other images, in [0, 1]; 0 for a pool of one.

    The typicality of TypiClust (Hacohen et al., ICML 2022), bounded. `among`, r sampled rows, makes it an
    estimate in O(n r d) where all rows take O(n² d): see `knn`.
    Raises ValueError for k < 1, non-finite values and rows longer than 1.
    """
    return _mean_similarity(unit_rows(embeddings), k, among)


def whole_pool_density(embeddings: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """Mean cosine with the whole pool, itself included: f_i · mean(f), exactly, in O(n d); in [-1, 1].

    Settles & Craven, EMNLP 2008. Raises ValueError for non-finite values and rows longer than 1.
    """
    checked = unit_vectors(embeddings)
    return checked @ mean_vector(checked)


def combined_vectors(
    embeddings: Float[Tensor, "n d"], probs: Float[Tensor, "n classes"], feature_share: float
) -> Float[Tensor, "n both"]:
    """Vectors whose inner products are λ f_i·f_j + (1-λ) p_i·p_j, λ = `feature_share`.

    [√λ f, √(1-λ) p]: with this the mixed correlation costs what the plain one does.
    Raises ValueError for λ outside [0, 1] and for embeddings or probs that are none.
    """
    if not 0 <= feature_share <= 1:
        raise ValueError(f"feature_share must be in [0, 1], but is {feature_share}")
    features = unit_vectors(embeddings) * feature_share**0.5
    return torch.cat([features, probabilities(probs) * (1 - feature_share) ** 0.5], dim=1)


def label_weighted_density(
    embeddings: Float[Tensor, "n d"], probs: Float[Tensor, "n classes"], feature_share: float = 0.5
) -> Float[Tensor, " n"]:
    """Mean of λ f_i·f_j + (1-λ) p_i·p_j over the whole pool, itself included, in O(n (d + m)).

    Fu, Zhu & Li 2012, with the cosine unclipped as in `whole_pool_density`. Raises as
    `combined_vectors`.
    """
    vectors = combined_vectors(embeddings, probs, feature_share)
    return vectors @ mean_vector(vectors)


def label_weighted_knn_density(
    embeddings: Float[Tensor, "n d"],
    probs: Float[Tensor, "n classes"],
    feature_share: float = 0.5,
    k: int = 20,
) -> Float[Tensor, " n"]:
    """Mean of max(0, λ f_i·f_j + (1-λ) p_i·p_j) over the k images where it is largest, in [0, 1].

    Fu, Zhu & Li 2012. Raises ValueError as `combined_vectors` and `knn` do.
    """
    return _mean_similarity(combined_vectors(embeddings, probs, feature_share), k)


def redundancy(embeddings: Rows, chosen: Float[Tensor, "c d"]) -> Float[Tensor, " n"]:
    """Largest max(0, f_i·f_j) over the chosen j (labelled or just picked), in [0, 1]; 0 when none is.

    O(n c d) in blocks. Raises ValueError for non-finite values and rows longer than 1.
    """
    checked, others = unit_rows(embeddings), unit_vectors(chosen)
    result = torch.zeros(len(checked), device=checked.device)
    for block in cached_row_blocks(len(checked), len(others), checked.device) if len(others) else ():
        result[block] = (checked[block] @ others.T).amax(dim=1)
    return result.clamp(0, 1)


def _mean_similarity(vectors: Rows, k: int, among: Tensor | None = None) -> Tensor:
    values, _ = knn(vectors, k, among)
    return values.clamp(0, 1).sum(dim=1) / max(1, values.shape[1])
