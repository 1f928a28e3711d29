"""What a place tells about the label: information regularisation (Szummer & Jaakkola, NIPS 2002).

A region Q is an image with its neighbours, each as likely as the other. Its label information is the
mutual information between label and image inside it,
I_Q = 1/|Q| Σ_{x ∈ Q} KL(p(y|x) ‖ p(y|Q)), p(y|Q) = 1/|Q| Σ_{x ∈ Q} p(y|x), in nats.
A classifier that keeps to the density changes its mind in empty regions: I_Q · M_Q / V_Q stays small where
the mass M_Q of the region is large for its variance V_Q.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from budgetal.measures.checks import finite, probabilities
from budgetal.measures.chunks import row_blocks


def local_label_information(probs: Float[Tensor, "n classes"], neighbours: Int[Tensor, "n k"]) -> Float[Tensor, " n"]:
    """I_Q of the region of each row and its neighbours, in nats, between 0 and log min(m, k + 1).

    `neighbours` are rows of `probs`. Differentiable, with a finite gradient at probabilities of 0 too.
    O(n k m) time in blocks. Raises ValueError as `least_confidence` does.
    """
    checked = probabilities(probs)
    width = (neighbours.shape[1] + 1) * checked.shape[1]
    parts = [_information(_members(checked, neighbours, block)) for block in row_blocks(len(checked), width)]
    return torch.cat([checked.new_zeros(0), *parts])


def region_variance(vectors: Float[Tensor, "n d"], neighbours: Int[Tensor, "n k"]) -> Float[Tensor, " n"]:
    """V_Q, the mean squared distance of each row and its neighbours from their mean.

    `neighbours` are rows of `vectors`. O(n k d) time in blocks. Raises ValueError for values not finite.
    """
    checked = finite(vectors, "vectors")
    width = (neighbours.shape[1] + 1) * checked.shape[1]
    parts = [_variance(_members(checked, neighbours, block)) for block in row_blocks(len(checked), width)]
    return torch.cat([checked.new_zeros(0), *parts])


def information_regulariser(
    probs: Float[Tensor, "n classes"], neighbours: Int[Tensor, "n k"], weights: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """Σ_Q w_Q I_Q, a penalty for a classifier whose label changes where `weights` (M_Q / V_Q) are large.

    The sum over regions is that of Corduneanu & Jaakkola (UAI 2003); Szummer & Jaakkola bound the
    largest term. Differentiable in `probs`. Raises ValueError as `local_label_information` does.
    """
    return (weights * local_label_information(probs, neighbours)).sum()


def _members(rows: Tensor, neighbours: Tensor, block: slice) -> Tensor:
    return torch.cat([rows[block, None], rows[neighbours[block]]], dim=1)


def _information(members: Float[Tensor, "n q classes"]) -> Float[Tensor, " n"]:
    return (_nats(members.mean(dim=1)) - _nats(members).mean(dim=1)).clamp(min=0)


def _variance(members: Float[Tensor, "n q d"]) -> Float[Tensor, " n"]:
    return (members - members.mean(dim=1, keepdim=True)).square().sum(dim=2).mean(dim=1)


def _nats(probs: Float[Tensor, "*rows classes"]) -> Float[Tensor, "*rows"]:
    # The gradient of p log p is infinite at 0; taken as a constant there, it is 0 instead.
    return -(probs * torch.where(probs > 0, probs, 1).log()).sum(dim=-1)
