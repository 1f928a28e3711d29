"""Figures of where the model errs: the confusion matrix, and how precise its labels are by class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from budgetal.metrics import wilson_interval
from budgetal.report.data import ClassRow
from budgetal.report.figure import Figure, Key
from budgetal.report.intervals import Interval, interval_chart
from budgetal.report.matrix import MAX_NAMED, matrix_chart
from budgetal.report.numbers import count, percent

MAX_CLASSES_DRAWN = 30
MAX_PAIRS_LISTED = 300


def confusion_figure(confusion: NDArray[np.int64] | None, classes: Sequence[str]) -> Figure:
    """The audit's answers against the model's."""
    heading = "Confusion matrix of the audit"
    if confusion is None or not confusion.sum():
        return Figure(heading, "There is no random audit to compare the model with.")
    total, right = int(confusion.sum()), int(np.trace(confusion))
    note = f"{count(right)} of {count(total)} audit images are right. {_worst_pair(confusion, classes)}"
    if len(classes) > MAX_NAMED:
        note += " Too many classes to name along the sides: point at a cell, or open the numbers."
    keys = (Key("cell-right", "right"), Key("cell-wrong", "wrong"))
    drawing = matrix_chart(confusion, classes, f"{heading}. {note}")
    columns = ("True class", "Model's label", "Audit images")
    return Figure(heading, note, drawing, keys, columns, _pairs(confusion, classes))


def precision_figure(class_rows: Sequence[ClassRow]) -> Figure:
    """For each class, how many of the audit images that would get its label automatically are right."""
    heading = "Precision of automatic labels by class"
    judged = [row for row in class_rows if row.n_audit]
    columns = ("Class", "By people", "Automatic", "Audit right", "Audit judged", "Precision")
    table = tuple(_class_cells(row) for row in class_rows)
    if not judged:
        return Figure(heading, "No audit image is among those labelled automatically.", None, (), columns, table)
    worst_first = sorted(judged, key=lambda row: row.n_audit_correct / row.n_audit)
    drawn = judged if len(judged) <= MAX_CLASSES_DRAWN else worst_first[:MAX_CLASSES_DRAWN]
    note = _precision_note(judged, len(drawn))
    drawing = interval_chart([_interval(row) for row in drawn], f"{heading}. {note}")
    keys = (Key("dot", "right in the audit"), Key("whisker", "95 % interval"))
    return Figure(heading, note, drawing, keys, columns, table)


def _worst_pair(confusion: NDArray[np.int64], classes: Sequence[str]) -> str:
    wrong = confusion - np.diag(np.diag(confusion))
    if not wrong.any():
        return "None is wrong."
    true, predicted = divmod(int(wrong.argmax()), len(wrong))
    n = int(wrong[true, predicted])
    return f"Most often, “{classes[true]}” is taken for “{classes[predicted]}” ({count(n)})."


def _pairs(confusion: NDArray[np.int64], classes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Every pair that occurs, errors first, frequent ones first."""
    pairs = [(int(true), int(predicted)) for true, predicted in zip(*np.nonzero(confusion), strict=True)]
    pairs.sort(key=lambda pair: (pair[0] == pair[1], -confusion[pair]))
    return tuple(
        (classes[true], classes[predicted], count(int(confusion[true, predicted])))
        for true, predicted in pairs[:MAX_PAIRS_LISTED]
    )


def _class_cells(row: ClassRow) -> tuple[str, ...]:
    share = row.n_audit_correct / row.n_audit if row.n_audit else None
    counts = (row.n_human, row.n_auto, row.n_audit_correct, row.n_audit)
    return (row.label, *map(count, counts), percent(share))


def _precision_note(judged: Sequence[ClassRow], n_drawn: int) -> str:
    right, total = sum(row.n_audit_correct for row in judged), sum(row.n_audit for row in judged)
    note = f"{count(right)} of {count(total)} audit images above the threshold are right."
    if n_drawn < len(judged):
        note += f" The {n_drawn} least precise of {count(len(judged))} classes are drawn."
    return note


def _interval(row: ClassRow) -> Interval:
    low, high = wilson_interval(row.n_audit_correct, row.n_audit)
    counts = f"{count(row.n_audit_correct)} of {count(row.n_audit)}"
    return Interval(row.label, row.n_audit_correct / row.n_audit, low, high, counts)
