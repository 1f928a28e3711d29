"""Tidy tables of a comparison: one row a round of a run, one row an arm."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from budgetal.cells import escape_cell
from budgetal.compare.figures import METRICS, Finished

ROUND_FIELDS = (
    *("round", "n_human", "n_audit", "n_auto", "coverage", "accuracy", "auto_error", "upper_bound"),
    *("test_accuracy", "audit_accuracy", "train_loss", "seconds"),
)


def rounds_csv(finished: Finished) -> str:
    """One row a round, with collection, arm, the value on each axis, and seed before its figures."""
    axes = [axis.name for axis in finished.comparison.axes]
    header = ("collection", "arm", *axes, "seed", *ROUND_FIELDS)
    rows = (
        (run.collection, run.arm.name, *(run.arm.values[name] for name in axes), run.seed, *_figures(record))
        for run, result in finished.results.items()
        for record in result["rounds"]
    )
    return _csv(header, rows)


def _figures(record: Mapping[str, Any]) -> list[Any]:
    return [record[name] for name in ROUND_FIELDS]


def summary_csv(figures: Mapping[str, Any]) -> str:
    """One row a collection, arm and measure: mean, band, seeds; for targets, how many seeds reached them."""
    header = ("collection", "arm", "measure", "mean", "low", "high", "n_seeds", "n_reached")
    return _csv(header, _summary_rows(figures))


def _summary_rows(figures: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for collection, entry in figures["collections"].items():
        for arm, found in entry["arms"].items():
            for name, value in found["final"].items():
                yield collection, arm, f"{name} at the end", *_cells(value), None
            for metric in METRICS:
                for reached in found["labels_to"][metric]:
                    what = f"labels to {metric} {reached['target']:g}"
                    mean, low, high, _ = _cells(reached["labels"])
                    yield collection, arm, what, mean, low, high, reached["n_seeds"], reached["n_reached"]
                of_metric = entry["metrics"][metric]
                if of_metric and arm in of_metric["area"]:
                    yield collection, arm, f"area under {metric}", *_cells(of_metric["area"][arm]), None


def _cells(value: Mapping[str, Any] | None) -> tuple[Any, Any, Any, Any]:
    return (None, None, None, None) if value is None else (value["mean"], value["low"], value["high"], value["n"])


def _csv(header: tuple[str, ...], rows: Any) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([escape_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return sink.getvalue()
