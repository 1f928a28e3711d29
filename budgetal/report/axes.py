"""The axes that the report's charts share."""

import math
from collections.abc import Sequence

from budgetal.report.charts import Axis
from budgetal.report.scale import round_ticks, share_ticks

MAX_ROUND_TICKS = 9


def labels_axis(labels: Sequence[int]) -> Axis:
    """Up to the most labels by people; from 0 unless the curve begins far from it."""
    low, high = min(labels, default=0), max(labels, default=1)
    return Axis("labels by people", round_ticks(low if high > low > high / 4 else 0, high, 4, whole=True), compact)


def rounds_axis(rounds: Sequence[int], room: float = 0.3) -> Axis:
    """Round numbers, not all of them when there are many."""
    first, last = min(rounds), max(rounds)
    step = math.ceil((last - first + 1) / MAX_ROUND_TICKS)
    ticks = tuple(float(number) for number in range(first, last + 1, step))
    return Axis("round", ticks, compact, (first - room, last + room))


def since_start_axis(rounds: Sequence[int]) -> Axis:
    """As `rounds_axis`, from one step before the first round."""
    axis, start = rounds_axis(rounds), min(rounds) - 1
    # Where only every so many rounds have a tick, the first would run into "start".
    shown = axis.ticks if len(axis.ticks) == max(rounds) - start else axis.ticks[1:]
    return Axis(
        axis.name,
        (float(start), *shown),
        lambda value: "start" if value == start else compact(value),
        (start - 0.3, max(rounds) + 0.3),
    )


def epochs_axis(n_epochs: int) -> Axis:
    """Epochs of all rounds one after another."""
    return Axis("epochs, all rounds in turn", round_ticks(0, n_epochs, 4, whole=True), compact)


def share_axis(values: Sequence[float]) -> Axis:
    """Accuracies: from below the lowest to 100 %."""
    return Axis("", share_ticks(values), _tick_percent)


def error_axis(values: Sequence[float]) -> Axis:
    """Error rates: from 0, with room for a name above the highest."""
    return Axis("", round_ticks(0, 1.2 * max(values)), _tick_percent)


def loss_axis(values: Sequence[float]) -> Axis:
    """Losses, which may begin far above where they end: from 0 to the highest."""
    return Axis("", round_ticks(min(0.0, *values), max(values)), lambda value: f"{value:.3g}")


def size_axis(values: Sequence[float]) -> Axis:
    """Counts from 0."""
    return Axis("", round_ticks(0, max(values), 4, whole=True), compact)


def compact(value: float) -> str:
    """1500 → "1,500", 20000 → "20k", 3000000 → "3M": what fits beside an axis."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= 10 * unit or (unit == 1e6 and abs(value) >= unit):
            return f"{value / unit:g}{name}"
    return f"{value:,.10g}"


def _tick_percent(value: float) -> str:
    return f"{round(100 * value, 6):g} %"
