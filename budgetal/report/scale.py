"""From values to places on a chart, with ticks at round numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Linear map of [low, high] to [start, end] in chart units; start > end grows upwards."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Place of `value`, rounded to a tenth of a unit to keep the page small."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def round_ticks(low: float, high: float, about: int = 5, whole: bool = False) -> tuple[float, ...]:
    """Round numbers at even steps (1, 2 or 5 times a power of ten) that cover [low, high].

    The first is at most `low`, the last at least `high`. whole: no fractions, as for counts.
    """
    if high <= low:
        low, high = low, low + 1
    step = _round_step((high - low) / about)
    step = max(step, 1.0) if whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(i * step, 10) for i in range(first, max(last, first + 1) + 1))


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def share_ticks(values: Sequence[float]) -> tuple[float, ...]:
    """Ticks for accuracies: from a round number below the lowest value up to 1."""
    lowest = min(values, default=0.0)
    step = 0.02 if lowest >= 0.9 else 0.1 if lowest >= 0.5 else 0.2
    n_steps = max(1, round((1 - math.floor(lowest / step + 1e-9) * step) / step))
    return tuple(round(1 - i * step, 10) for i in range(n_steps, -1, -1))


def thinned(n: int, limit: int) -> list[int]:
    """At most `limit` positions of n, evenly spread, the first and the last among them."""
    if n <= limit:
        return list(range(n))
    return sorted({round(i * (n - 1) / (limit - 1)) for i in range(limit)})
