"""How unsure the model is of each image (docs/method.md). Higher means query first, always."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from budgetal.measures.checks import finite, probabilities
from budgetal.measures.chunks import cached_row_blocks, row_blocks


def least_confidence(probs: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
    """One minus the largest probability, 1 - p_1, in [0, 1 - 1/m].

    Settles 2009. Raises ValueError when `probs` are no probabilities or of fewer than two classes.
    """
    return (1 - probabilities(probs).amax(dim=1)).clamp(min=0)


def margin(probs: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
    """Best-versus-second-best uncertainty, 1 - (p_1 - p_2), in [0, 1].

    Joshi et al., CVPR 2009. Raises ValueError as `least_confidence` does.
    """
    return (1 - _in_blocks(_lead, probabilities(probs))).clamp(0, 1)


def entropy(probs: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
    """Shannon entropy over its maximum, -Σ p log p / log m, in [0, 1], with 0 log 0 = 0.

    Settles 2009. Raises ValueError as `least_confidence` does.
    """
    return (_in_blocks(_nats, probabilities(probs)) / math.log(probs.shape[1])).clamp(0, 1)


def bald(passes: Float[Tensor, "t n classes"]) -> Float[Tensor, " n"]:
    """What the label would tell about the model, H(mean_t p_t) - mean_t H(p_t), in nats, ≥ 0.

    `passes` are the probabilities of t Monte Carlo dropout passes or ensemble members, read in blocks of rows.
    Gal, Islam & Ghahramani, ICML 2017. Raises ValueError as `least_confidence` does.
    """
    n_passes, n, classes = passes.shape
    result = torch.empty(n, device=passes.device)
    for block in row_blocks(n, n_passes * classes):
        checked = probabilities(passes[:, block])
        result[block] = _nats(checked.mean(dim=0)) - _nats(checked).mean(dim=0)
    return result.clamp(min=0)


def expected_decision_cost(
    probs: Float[Tensor, "n classes"], cost: Float[Tensor, "classes decisions"]
) -> Float[Tensor, " n"]:
    """Cost that is expected even of the best decision, min_a Σ_l p_l C[l, a], in the units of `cost`.

    `cost[l, a]` is paid when the true class is l and a was decided. Gikunda, arXiv:2012.05196.
    Raises ValueError as `least_confidence` does, and for a cost that is not finite.
    """
    checked = probabilities(probs)
    return (checked @ finite(cost, "cost").to(checked.device)).amin(dim=1)


def _nats(probs: Float[Tensor, "*rows classes"]) -> Float[Tensor, "*rows"]:
    # Where p is 0 the logarithm is that of the least number above it: 0 log 0 = 0, and no branch.
    return -(probs * probs.clamp(min=torch.finfo(probs.dtype).tiny).log()).sum(dim=-1)


def _lead(probs: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
    """p_1 - p_2; several times as fast as sorting out the two by topk."""
    best, place = probs.max(dim=1, keepdim=True)
    return best[:, 0] - probs.scatter(1, place, -1).amax(dim=1)


def _in_blocks(measure: Callable[[Tensor], Tensor], probs: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
    """`measure` of each row, without a copy of `probs` in memory at once."""
    result = probs.new_empty(len(probs))
    for block in cached_row_blocks(len(probs), probs.shape[1], probs.device):
        result[block] = measure(probs[block])
    return result
