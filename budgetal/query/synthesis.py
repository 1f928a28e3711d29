"""Membership query synthesis: look for the most uncertain input itself, not for the most uncertain image.

z* = argmax u(G(z)) (Angluin, Machine Learning 2, 1988). A made-up input may be nothing that a person could
name (Baum & Lang 1992), so it is shown as the real image nearest to it (Wang, Hu, Yuan & Lu, Neurocomputing
2015), or it is a mixture of two images, in which a person can still see both (`mixtures`).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite
from budgetal.measures.chunks import row_blocks

Uncertainty = Callable[[Float[Tensor, "s k"]], Float[Tensor, " s"]]
"""A differentiable uncertainty of s points z_i = Σ_j a_ij f_ij, given by their shares a of k vertices each."""

_TINY = 1e-30
_HALVINGS = 8


def head_entropy(
    vertices: Float[Tensor, "s k d"], weight: Float[Tensor, "classes d"], bias: Float[Tensor, " classes"]
) -> Uncertainty:
    """Entropy of softmax(W z + b), in nats: the uncertainty of a linear head."""
    logits = vertices @ weight.T + bias

    def uncertainty(shares: Float[Tensor, "s k"]) -> Float[Tensor, " s"]:
        logs = F.log_softmax(_weighted(shares, logits), dim=1)
        return -(logs.exp() * logs).sum(dim=1)

    return uncertainty


def smoothed_entropy(vertices: Float[Tensor, "s k d"], probs: Float[Tensor, "s k classes"]) -> Uncertainty:
    """Entropy of Σ_j w_j p_j, w = softmax_j(κ z·f_j): the model's probabilities, smoothed over near images.

    Nadaraya 1964, Watson 1964, with the von Mises-Fisher kernel. Point i is smoothed over the k images
    `vertices[i]`. κ is 1 over their mean distance 1 - cos from the first of them, so the kernel is as
    wide as the images are apart. It stands in for the head, which a strategy does not see.
    """
    products = vertices @ vertices.transpose(1, 2)
    # Identical images: any width gives the same answer, so long as it is a number.
    concentration = 1 / (1 - products[:, 0]).mean(dim=1, keepdim=True).clamp(min=1e-3)

    def uncertainty(shares: Float[Tensor, "s k"]) -> Float[Tensor, " s"]:
        smooth = _weighted(torch.softmax(concentration * _weighted(shares, products), dim=1), probs)
        return -(smooth * smooth.clamp(min=_TINY).log()).sum(dim=1)

    return uncertainty


def ascend(
    vertices: Float[Tensor, "s k d"], uncertainty: Uncertainty, steps: int = 20
) -> tuple[Float[Tensor, "s d"], Float[Tensor, " s"]]:
    """Climb to an uncertain point z_i in the convex hull of each row of `vertices`; returns z and u(z).

    Frank-Wolfe (1956; non-concave: Lacoste-Julien 2016): from the most uncertain vertex, always towards the
    vertex that the gradient points at, by the longest of 1, 1/2, 1/4 … of the way that gains; where none
    does, the point stays. So u never falls, and z is at least as uncertain as every vertex. The hull is
    the constraint because away from the data neither a head nor a smoother knows anything: a point between
    near images has an image near it. O(s k (k + classes)) a step. Raises ValueError for vertices that are
    not finite.
    """
    checked = finite(vertices, "vertices")
    corners = torch.eye(checked.shape[1], device=checked.device)
    values, best = torch.stack([uncertainty(corner.repeat(len(checked), 1)) for corner in corners]).max(dim=0)
    shares = corners[best]
    for _ in range(steps):
        towards = corners[_steepest(shares, uncertainty)]
        shares, values, has_moved = _line_search(shares, towards, values, uncertainty)
        if not has_moved:
            break
    return _weighted(shares, checked), values


def nearest_rows(points: Float[Tensor, "s d"], embeddings: Float[Tensor, "n d"]) -> Int[Tensor, " s"]:
    """For each point in turn the row of largest cosine that no earlier point took; ties go to the lowest row.

    O(s n d) in blocks of points. Raises ValueError when there are more points than rows.
    """
    if len(points) > len(embeddings):
        raise ValueError(f"{len(points)} points cannot have a row each of {len(embeddings)}")
    taken = torch.zeros(len(embeddings), dtype=torch.bool, device=embeddings.device)
    rows: list[Tensor] = []
    for block in row_blocks(len(points), len(embeddings)):
        cosines = (points[block] @ embeddings.T).masked_fill_(taken, -torch.inf)
        for cosine in cosines:
            row = torch.nonzero(cosine == cosine.max())[0, 0]
            cosines[:, row] = -torch.inf
            rows.append(row)
        taken[torch.stack(rows)] = True
    return torch.stack(rows) if rows else torch.zeros(0, dtype=torch.int64, device=embeddings.device)


def _weighted(shares: Float[Tensor, "s k"], vectors: Float[Tensor, "s k _"]) -> Float[Tensor, "s _"]:
    """Σ_j a_ij v_ij."""
    return (shares[:, None] @ vectors)[:, 0]


def _steepest(shares: Tensor, uncertainty: Uncertainty) -> Tensor:
    """The vertex towards which u grows fastest."""
    with torch.enable_grad():
        variable = shares.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(uncertainty(variable).sum(), variable)
    return gradient.argmax(dim=1)


def _line_search(
    shares: Tensor, towards: Tensor, values: Tensor, uncertainty: Uncertainty
) -> tuple[Tensor, Tensor, bool]:
    best_shares, best = shares, values
    for halving in range(_HALVINGS):
        tried = shares + (towards - shares) * 0.5**halving
        found = uncertainty(tried)
        gains = (best == values) & (found > values)
        best_shares = torch.where(gains[:, None], tried, best_shares)
        best = torch.where(gains, found, best)
    return best_shares, best, bool((best > values).any())
