"""What labels, computing and mistakes cost, by the project's settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from budgetal.config import Config


class Paid(NamedTuple):
    """What the price of a label depends on, and whether it is an audit answer."""

    label: str
    annotator: str
    is_audit: bool = False


@dataclass(frozen=True)
class Prices:
    """The price of a label: (that of its annotator, else `per_label`) × (the factor of its class, else 1)."""

    per_label: float = 1.0
    by_annotator: Mapping[str, float] = field(default_factory=dict)
    factor_by_class: Mapping[str, float] = field(default_factory=dict)

    def of(self, label: str, annotator: str) -> float:
        """The price of one label."""
        return self.by_annotator.get(annotator, self.per_label) * self.factor_by_class.get(label, 1.0)

    @property
    def highest(self) -> float:
        """The most that one label can cost."""
        by_person = max((self.per_label, *self.by_annotator.values()))
        return by_person * max((1.0, *self.factor_by_class.values()))

    def total(self, paid: Mapping[Paid, int]) -> float:
        """The price of so many labels of each kind."""
        return sum(n * self.of(kind.label, kind.annotator) for kind, n in paid.items())


def prices_of(config: Config) -> Prices:
    """The prices that a project was made with."""
    return Prices(config.cost_per_label, config.cost_per_label_by_annotator, config.cost_factor_by_class)


def cost_of_a_mistake(cost: float | NDArray[np.float64], confusion: NDArray[np.int64]) -> float:
    """The mean cost of a wrong label. cost: one number, or C[l, a] for true class l labelled a, diagonal 0.

    With a matrix: the mean of C over the mistakes in `confusion` (m, m), true class by label given; over all
    kinds of mistakes alike where it holds none.
    """
    if isinstance(cost, float):
        return cost
    mistakes = confusion * (1 - np.eye(len(confusion)))
    if not mistakes.any():
        mistakes = 1 - np.eye(len(confusion))
    return float((mistakes * cost).sum() / mistakes.sum())
