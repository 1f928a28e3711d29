"""Uncertainty, correlation and redundancy in one number, I = u^α · c^β · (1 - r)^γ."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from budgetal.measures.checks import finite

# From here on uncertainty weighs as much as typicality. On digits, 2 to 20 do equally well.
_LABELS_A_CLASS = 10


@dataclass(frozen=True)
class Weights:
    """Exponents: `alpha` of uncertainty, `beta` of density, `gamma` of novelty 1 - r. All ≥ 0."""

    alpha: float
    beta: float
    gamma: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be finite and at least 0, but is {value}")


def adaptive_weights(n_labelled: int, n_classes: int) -> Weights:
    """Exponents for the next query, β = γ = 1 and α = min(1, labels a class / 10).

    Typicality first, uncertainty later: a model of few labels does not know what it does not know, so
    typical images teach it more (the low- and high-budget regimes of TypiClust, Hacohen et al., ICML
    2022). Density and novelty stay: they keep outliers and near-duplicates out at every budget.
    Raises ValueError for n_labelled < 0 or n_classes < 2.
    """
    if n_labelled < 0 or n_classes < 2:
        raise ValueError(f"Need n_labelled ≥ 0 and n_classes ≥ 2, got {n_labelled} and {n_classes}")
    return Weights(alpha=min(1.0, n_labelled / (_LABELS_A_CLASS * n_classes)), beta=1.0, gamma=1.0)


def informativeness(
    uncertainty: Float[Tensor, " n"],
    density: Float[Tensor, " n"],
    redundancy: Float[Tensor, " n"],
    weights: Weights,
) -> Float[Tensor, " n"]:
    """I_i = u_i^α · c_i^β · (1 - r_i)^γ; an exponent 0 ignores its factor.

    The paper's informativeness; γ = 0 is information density (Settles & Craven 2008). Raises
    ValueError for non-finite values, and for negative u or c or r > 1, whose powers are no numbers.
    """
    factors = [
        _power(uncertainty, weights.alpha, "uncertainty"),
        _power(density, weights.beta, "density"),
        _power(1 - redundancy, weights.gamma, "1 - redundancy"),
    ]
    return factors[0] * factors[1] * factors[2]


def _power(values: Tensor, exponent: float, what: str) -> Tensor:
    checked = finite(values, what)
    if bool((checked < 0).any()):
        raise ValueError(f"{what} must not be negative, but is {checked.min().item():.3g} somewhere")
    return checked.pow(exponent)
