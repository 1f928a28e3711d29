"""The report as one HTML file: no script, and nothing loaded from anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from budgetal.report.class_rows import CLASS_COLUMNS, class_cells
from budgetal.report.data import Picture, ReportData
from budgetal.report.epochs import epoch_accuracy_figure, epoch_loss_figure
from budgetal.report.figure import Figure
from budgetal.report.mistakes import confusion_figure, precision_figure
from budgetal.report.numbers import count
from budgetal.report.outlook import (
    PURCHASE_COLUMNS,
    accuracy_outlook,
    advice_lines,
    basis_line,
    coverage_outlook,
    purchase_rows,
    spent_line,
)
from budgetal.report.people_rows import PEOPLE_COLUMNS, people_cells
from budgetal.report.pictures import Thumbnail, thumbnail
from budgetal.report.progress import (
    accuracy_figure,
    bound_figure,
    budget_figure,
    coverage_figure,
    loss_figure,
)
from budgetal.report.rounds_table import ROUND_COLUMNS, round_cells
from budgetal.report.sentences import outliers_line, result_in_three_lines
from budgetal.report.template import environment
from budgetal.report.tiles import key_figures, label_shares

MAX_PICTURES = 48
"""In each gallery, so that the page stays small and can be read."""
MAX_FILES_LISTED = 200


@dataclass(frozen=True)
class Gallery:
    """Pictures under one heading; `n_hidden` more exist."""

    heading: str
    thumbnails: tuple[Thumbnail, ...]
    n_hidden: int


def render_report(data: ReportData) -> str:
    """The whole page as text, to be written as UTF-8.

    Raises DataError for a picture that is neither PNG nor WebP.
    """
    templates = environment()
    templates.filters["count"] = count
    page = templates.get_template("report.html.j2").render(_context(data))
    # File names need not be valid UTF-8; what is not becomes a question mark, here only.
    return page.encode("utf-8", "replace").decode("utf-8")


def _context(data: ReportData) -> dict[str, Any]:
    return {
        "title": data.title,
        "lines": result_in_three_lines(data.summary),
        "stop_reason": data.summary.get("stop_reason"),
        "tiles": key_figures(data.summary),
        "shares": label_shares(data.summary),
        "progress": _progress(data),
        "outlook": _outlook(data),
        "mistakes": _mistakes(data),
        "outliers": outliers_line(data.summary.get("outliers")),
        "class_columns": CLASS_COLUMNS,
        "class_cells": class_cells(data.summary.get("class_coverage") or ()),
        "people_columns": PEOPLE_COLUMNS,
        "people_rows": people_cells(data.summary.get("annotators") or ()),
        "possible_outliers": _gallery("", data.possible_outliers),
        "round_columns": ROUND_COLUMNS,
        "round_rows": [round_cells(row) for row in data.rounds],
        "asked": [_gallery(heading, pictures) for heading, pictures in data.asked],
        "least_confident": _gallery("", data.least_confident),
        "pairs": _pairs(data),
        "n_pairs": len(data.near_duplicates),
        "exact_duplicates": data.exact_duplicates,
        "quarantined": data.quarantined[:MAX_FILES_LISTED],
        "n_quarantined": _n_quarantined(data),
        "settings": _settings(data),
    }


def _progress(data: ReportData) -> Sequence[Figure]:
    summary, rounds = data.summary, data.rounds
    return (
        accuracy_figure(rounds),
        coverage_figure(rounds, summary.get("n_samples")),
        bound_figure(rounds, summary.get("certificate")),
        budget_figure(rounds, summary.get("budget")),
        loss_figure(rounds),
        epoch_loss_figure(rounds),
        epoch_accuracy_figure(rounds),
    )


def _outlook(data: ReportData) -> dict[str, Any] | None:
    forecast = data.summary.get("forecast")
    if forecast is None:
        return None
    lines = [spent_line(forecast["spent"])]
    if forecast["reason"]:
        return {"lines": [*lines, forecast["reason"]], "figures": ()}
    return {
        "lines": [*lines, basis_line(forecast), *advice_lines(forecast)],
        "note": forecast["note"],
        "columns": PURCHASE_COLUMNS,
        "rows": purchase_rows(forecast),
        "figures": (accuracy_outlook(forecast, data.rounds), coverage_outlook(forecast, data.rounds)),
    }


def _mistakes(data: ReportData) -> Sequence[Figure]:
    return confusion_figure(data.confusion, data.classes), precision_figure(data.class_rows)


def _gallery(heading: str, pictures: Sequence[Picture]) -> Gallery:
    shown = tuple(thumbnail(one) for one in pictures[:MAX_PICTURES])
    return Gallery(heading, shown, len(pictures) - len(shown))


def _pairs(data: ReportData) -> list[tuple[Thumbnail, Thumbnail, str]]:
    return [
        (thumbnail(first), thumbnail(second), f"{similarity:.3f}")
        for first, second, similarity in data.near_duplicates[: MAX_PICTURES // 2]
    ]


def _n_quarantined(data: ReportData) -> int:
    return max(len(data.quarantined), data.summary.get("n_quarantined") or 0)


def _settings(data: ReportData) -> Mapping[str, str]:
    """Settings, seed and versions: what it takes to run this again."""
    seed = data.summary.get("seed")
    versions = data.summary.get("versions") or {}
    return {
        **data.settings,
        **({} if seed is None else {"seed": str(seed)}),
        **{f"version of {name}": str(version) for name, version in versions.items()},
    }
