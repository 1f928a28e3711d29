"""Whether a strategy's labels are worth less than random ones: judged on the audit, by labels of both kinds.

The audit is a uniform sample with labels, so a model trained on a part of it is a model of random labels, and
the rest of it tests that model and the strategy's on the same images.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

SIGNIFICANCE = 0.01
FEWEST_AUDIT_LABELS = 50
FEWEST_LABELS = 20


@dataclass(frozen=True)
class Verdict:
    """Two models on the same audit images. n_…: labels that each learnt from besides those given at the start."""

    n_strategy: int
    n_random: int
    strategy_accuracy: float
    random_accuracy: float
    p_value: float

    @property
    def worse(self) -> bool:
        """Whether the strategy is worse than random, beyond chance."""
        return self.p_value < SIGNIFICANCE


def can_judge(n_strategy: int, n_audit: int) -> bool:
    """Whether there are labels enough of both kinds for the comparison to say anything."""
    return n_strategy >= FEWEST_LABELS and n_audit >= FEWEST_AUDIT_LABELS


def judge(
    strategy_right: NDArray[np.bool_], random_right: NDArray[np.bool_], n_strategy: int, n_random: int
) -> Verdict:
    """Compare two models image by image, by whether each is right: (a,) each.

    p is that of the one-sided sign test: the chance of as many images that only the random model gets right,
    among those that one of the two gets right, were both equally good (McNemar 1947).
    """
    only_random = int((random_right & ~strategy_right).sum())
    only_strategy = int((strategy_right & ~random_right).sum())
    differing = only_random + only_strategy
    p_value = binomtest(only_random, differing, alternative="greater").pvalue if differing else 1.0
    accuracies = float(strategy_right.mean()), float(random_right.mean())
    return Verdict(n_strategy, n_random, *accuracies, float(p_value))
