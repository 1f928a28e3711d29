"""Figures of how the labelling went: accuracy, loss, epochs, budget, coverage, certified error."""

from collections.abc import Mapping, Sequence
from typing import Any

from budgetal.metrics import wilson_interval
from budgetal.report.axes import (
    error_axis,
    labels_axis,
    loss_axis,
    rounds_axis,
    share_axis,
    since_start_axis,
    size_axis,
)
from budgetal.report.charts import Guide, Series, line_chart, stacked_bars
from budgetal.report.data import RoundRow
from budgetal.report.figure import Figure, Key
from budgetal.report.numbers import count, decimal, known, money, percent, percent_at_most

NO_ROUND = "No round has finished yet, so there is nothing to draw."
CONFIDENCE = 0.95


def accuracy_figure(rounds: Sequence[RoundRow]) -> Figure:
    """Audit and test accuracy against labels by people."""
    heading = "Accuracy against labels"
    labels = [row.n_human for row in rounds]
    audit = Series("Audit", labels, _values(rounds, "audit_accuracy"), 1, _audit_band(rounds))
    test = Series("Test set", labels, _values(rounds, "test_accuracy"), 2)
    drawn = [line for line in (audit, test) if any(value is not None for value in line.ys)]
    if not drawn:
        return Figure(heading, NO_ROUND if not rounds else "Neither an audit nor a test set was measured.")
    note = _from_to(drawn[0].name.lower(), drawn[0].ys, labels)
    seen = [value for line in drawn for value in line.ys if value is not None]
    lows = [bounds[0] for bounds in audit.band if bounds is not None]
    drawing = line_chart(drawn, labels_axis(labels), share_axis([*seen, *lows]), f"{heading}. {note}")
    keys = [Key(f"line-{line.style}", line.name) for line in drawn]
    keys += [Key("band-1", "95 % interval")] if lows else []
    columns = ("Labels by people", "Audit accuracy", "Test accuracy")
    table = tuple((count(row.n_human), percent(row.audit_accuracy), percent(row.test_accuracy)) for row in rounds)
    return Figure(heading, note, drawing, tuple(keys), columns, table)


def loss_figure(rounds: Sequence[RoundRow]) -> Figure:
    """Training loss against labels by people."""
    heading = "Training loss against labels"
    labels, losses = [row.n_human for row in rounds], _values(rounds, "train_loss")
    seen = [value for value in losses if value is not None]
    if not seen:
        return Figure(heading, NO_ROUND if not rounds else "No loss was recorded.")
    note = f"The last model ended at a loss of {decimal(seen[-1])} on its own training labels."
    line = Series("Training loss", labels, losses, 3)
    drawing = line_chart([line], labels_axis(labels), loss_axis(seen), f"{heading}. {note}")
    table = tuple((count(row.n_human), decimal(row.train_loss)) for row in rounds)
    return Figure(heading, note, drawing, (Key("line-3", line.name),), ("Labels by people", "Training loss"), table)


def budget_figure(rounds: Sequence[RoundRow], budget: int | None) -> Figure:
    """Labels left in the budget after each round."""
    heading = "Budget left"
    if budget is None or not rounds:
        return Figure(heading, NO_ROUND if not rounds else "No budget was set.")
    numbers = [row.round for row in rounds]
    left = [max(0, budget - row.n_human) for row in rounds]
    note = f"{count(left[-1])} of {count(budget)} labels are left after round {rounds[-1].round}."
    line = Series("Labels left", [numbers[0] - 1, *numbers], [budget, *left], 1, filled=True)
    drawing = line_chart([line], since_start_axis(numbers), size_axis([budget]), f"{heading}. {note}")
    table = tuple(
        (str(row.round), count(row.n_human), count(value), money(row.spent))
        for row, value in zip(rounds, left, strict=True)
    )
    columns = ("Round", "Labels by people", "Labels left", "Cost")
    return Figure(heading, note, drawing, (Key("line-1", line.name),), columns, table)


def coverage_figure(rounds: Sequence[RoundRow], n_samples: int | None) -> Figure:
    """Who had labelled how many images after each round."""
    heading = "Coverage by round"
    if not rounds:
        return Figure(heading, NO_ROUND)
    last, numbers = rounds[-1], [row.round for row in rounds]
    total = n_samples or max(row.n_human + row.n_auto for row in rounds)
    names = ("By people", "Automatic", "Not yet")
    heights = [_parts(row, total) for row in rounds]
    note = f"After round {last.round}, coverage is {percent(last.coverage)} of {count(total)} images."
    drawing = stacked_bars(names, numbers, heights, rounds_axis(numbers, 0.6), size_axis([total]), f"{heading}. {note}")
    keys = tuple(Key(f"bar-{i}", name) for i, name in enumerate(names, start=1))
    table = tuple(
        (str(row.round), *map(count, parts), percent(row.coverage), count(row.n_taken_back))
        for row, parts in zip(rounds, heights, strict=True)
    )
    return Figure(heading, note, drawing, keys, ("Round", *names, "Coverage", "Taken back"), table)


def bound_figure(rounds: Sequence[RoundRow], certificate: Mapping[str, Any] | None) -> Figure:
    """Upper bound on the error of the automatic labels after each round, beside what is tolerated."""
    heading = "Certified error by round"
    bounds = _values(rounds, "upper_bound")
    seen = [value for value in bounds if value is not None]
    if not seen:
        return Figure(heading, NO_ROUND if not rounds else "No round ended with a certificate.")
    tolerance = (certificate or {}).get("tolerance")
    guides = () if tolerance is None else (Guide(f"accepted: {percent_at_most(tolerance)}", tolerance),)
    note = f"The last certificate: at most {percent_at_most(seen[-1])} of the automatic labels are wrong."
    numbers = [row.round for row in rounds]
    top = error_axis([*seen, *(guide.y for guide in guides)])
    line = Series("Upper bound", numbers, bounds, 2)
    drawing = line_chart([line], rounds_axis(numbers), top, f"{heading}. {note}", guides)
    table = tuple(
        (str(row.round), percent_at_most(row.upper_bound) if row.upper_bound is not None else "none") for row in rounds
    )
    return Figure(heading, note, drawing, (Key("line-2", line.name),), ("Round", "At most wrong"), table)


def _values(rounds: Sequence[RoundRow], name: str) -> list[float | None]:
    values = (getattr(row, name) for row in rounds)
    return [value if known(value) else None for value in values]


def _audit_band(rounds: Sequence[RoundRow]) -> tuple[tuple[float, float] | None, ...]:
    return tuple(
        wilson_interval(round(row.audit_accuracy * row.n_audit), row.n_audit, CONFIDENCE)
        if row.audit_accuracy is not None and row.n_audit
        else None
        for row in rounds
    )


def _from_to(what: str, values: Sequence[float | None], labels: Sequence[int]) -> str:
    points = [(value, n) for value, n in zip(values, labels, strict=True) if value is not None]
    (first, n_first), (last, n_last) = points[0], points[-1]
    if len(points) == 1:
        return f"On the {what}, {percent(last)} are right with {count(n_last)} labels by people."
    start = f"from {percent(first)} with {count(n_first)} labels"
    return f"On the {what}, {start} to {percent(last)} with {count(n_last)}."


def _parts(row: RoundRow, total: int) -> tuple[int, int, int]:
    return row.n_human, row.n_auto, max(0, total - row.n_human - row.n_auto)
