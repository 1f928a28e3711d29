"""Figures per epoch: loss and accuracy on the training labels, every round one line."""

from collections.abc import Callable, Sequence

from budgetal.report.axes import epochs_axis, loss_axis, share_axis
from budgetal.report.charts import Axis, Series, line_chart
from budgetal.report.data import RoundRow
from budgetal.report.figure import Figure, Key
from budgetal.report.numbers import count, decimal, known, percent
from budgetal.report.scale import thinned
from budgetal.types import EpochRecord

NO_EPOCH = "No epoch was recorded."
MAX_TABLE_ROWS = 200


def epoch_loss_figure(rounds: Sequence[RoundRow]) -> Figure:
    """Training loss of every epoch."""
    return _epoch_figure("Training loss by epoch", rounds, lambda epoch: epoch.train_loss, loss_axis, decimal, 3)


def epoch_accuracy_figure(rounds: Sequence[RoundRow]) -> Figure:
    """Accuracy on the training labels after every epoch."""
    return _epoch_figure(
        "Training accuracy by epoch", rounds, lambda epoch: epoch.train_accuracy, share_axis, percent, 1
    )


def _epoch_figure(
    heading: str,
    rounds: Sequence[RoundRow],
    value_of: Callable[[EpochRecord], float],
    axis: Callable[[Sequence[float]], Axis],
    write: Callable[[float | None], str],
    style: int,
) -> Figure:
    points = [(row.round, epoch.epoch, value_of(epoch)) for row in rounds for epoch in row.epochs]
    seen = [value for _, _, value in points if known(value)]
    if not seen:
        return Figure(heading, NO_EPOCH)
    note = f"{count(len(points))} epochs in {count(len(rounds))} rounds; each line is one round's training."
    if len(rounds) == 1:
        note = f"{count(len(points))} epochs in one round."
    lines = _lines(rounds, value_of, style)
    drawing = line_chart(lines, epochs_axis(len(points)), axis(seen), f"{heading}. {note}")
    shown = [points[i] for i in thinned(len(points), MAX_TABLE_ROWS)]
    table = tuple((str(number), str(epoch), write(value)) for number, epoch, value in shown)
    name = heading.removesuffix(" by epoch")
    return Figure(heading, note, drawing, (Key(f"line-{style}", name),), ("Round", "Epoch", name), table)


def _lines(rounds: Sequence[RoundRow], value_of: Callable[[EpochRecord], float], style: int) -> list[Series]:
    """One line a round, each beginning where the one before it ended."""
    lines, start = [], 0
    for row in rounds:
        values = [value_of(epoch) for epoch in row.epochs]
        ys = [value if known(value) else None for value in values]
        places = range(start + 1, start + 1 + len(ys))
        lines.append(Series(f"Round {row.round}", places, ys, style))
        start += len(ys)
    return lines
