"""One small file a strategy; importing this package registers them all."""

from budgetal.query.strategies import (
    core_set,
    entropy,
    information_density,
    informative,
    least_confidence,
    margin,
    random,
)

__all__ = [
    "core_set",
    "entropy",
    "information_density",
    "informative",
    "least_confidence",
    "margin",
    "random",
]
