"""The recipe that all plain uncertainty strategies share."""

from jaxtyping import Float
from torch import Tensor

from budgetal.query.kernels import top_k
from budgetal.query.view import Selection


def most_uncertain(uncertainty: Float[Tensor, " n"], n: int) -> Selection:
    """The n rows of highest uncertainty, which is their score."""
    rows = top_k(uncertainty, n)
    return Selection(rows=rows, scores=uncertainty[rows], uncertainty=uncertainty[rows])
