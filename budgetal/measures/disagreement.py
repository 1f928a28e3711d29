"""How far the members of a committee are apart, and how many images a disagreement stands for."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

from budgetal.measures.checks import probabilities
from budgetal.measures.chunks import row_blocks
from budgetal.measures.correlation import whole_pool_density
from budgetal.measures.uncertainty import bald


def kl_to_mean(committee: Float[Tensor, "c n classes"]) -> Float[Tensor, " n"]:
    """Mean divergence of the members from their mean, 1/c Σ_j KL(p_j ‖ mean p), in nats, ≥ 0.

    McCallum & Nigam, ICML 1998. It is the same number as `bald`: Σ_j KL(p_j ‖ p) / c = H(p) - mean_j H(p_j).
    Raises ValueError when `committee` holds no probabilities or fewer than two classes.
    """
    return bald(committee)


def vote_entropy(committee: Float[Tensor, "c n classes"]) -> Float[Tensor, " n"]:
    """Entropy of the members' votes, -Σ_l V_l/c log(V_l/c) / log min(c, m), in [0, 1].

    Dagan & Engelson, ICML 1995. Each member votes for its likeliest class, the first of those that tie. A committee
    of one agrees with itself: 0. Raises ValueError as `kl_to_mean` does.
    """
    members, n, classes = committee.shape
    result = torch.zeros(n, device=committee.device)
    for block in row_blocks(n, members * classes):
        shares = _vote_shares(probabilities(committee[:, block]))
        result[block] = -torch.xlogy(shares, shares).sum(dim=1) / math.log(max(2, min(members, classes)))
    return result.clamp(0, 1)


def regional_density(embeddings: Float[Tensor, "n d"], sharpness: float = 3.0) -> Float[Tensor, " n"]:
    """How much an image overlaps with the pool, exp(-β mean_h D(f_h, f_i)), β = `sharpness`; in (0, 1].

    McCallum & Nigam, ICML 1998: the geometric mean of exp(-β D) over the whole pool, β = 3. Their D is the
    divergence of two documents' words; that of two unit Gaussians at unit vectors is 1 - f_h·f_i, whose mean is
    1 - f_i·mean(f): exact in O(n d). Raises ValueError for non-finite values and rows longer than 1.
    """
    return torch.exp(sharpness * (whole_pool_density(embeddings) - 1))


def _vote_shares(probs: Float[Tensor, "c n classes"]) -> Float[Tensor, "n classes"]:
    members, _, classes = probs.shape
    counts = torch.zeros(probs.shape[1:], device=probs.device)
    for votes in probs.argmax(dim=2):
        counts += one_hot(votes, classes)
    return counts / members
