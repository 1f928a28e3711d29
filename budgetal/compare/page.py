"""A comparison as one HTML page, and the files beside it: no script, and nothing loaded from anywhere."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from budgetal.compare.drawings import curve_figures, standalone, tables
from budgetal.compare.figures import METRICS, Finished, figures
from budgetal.compare.tables import rounds_csv, summary_csv
from budgetal.files import write_atomic
from budgetal.report.numbers import count
from budgetal.report.template import environment

PAGE = "index.html"
MATRIX_NOTE = (
    "Share of the budgets at which the arm of a row beats that of a column in a two-sided paired t-test over seeds at "
    "5 %, added up over {} (Ash et al., ICLR 2020). The last row is the mean of each column: how often the "
    "others beat that arm, so low is good."
)


def write_results(finished: Finished, out: Path) -> dict[str, Any]:
    """Write results.json, rounds.csv, summary.csv, a chart a measure and index.html; return the figures."""
    found = figures(finished)
    files_of = {
        "results.json": json.dumps(found, indent=1) + "\n",
        "rounds.csv": rounds_csv(finished),
        "summary.csv": summary_csv(found),
        PAGE: render_page(found),
        **_charts(found),
    }
    for name, text in files_of.items():
        write_atomic(out / name, text.encode())
    return found


def _charts(found: Mapping[str, Any]) -> dict[str, str]:
    charts = {}
    for collection, entry in found["collections"].items():
        drawn = (metric for metric in METRICS if entry["metrics"][metric])
        for metric, figure in zip(drawn, curve_figures(entry), strict=True):
            charts[f"{collection}-{metric}.svg"] = standalone(figure, chart_css())
    return charts


def chart_css() -> str:
    """The rules of the page that a chart needs when it stands alone."""
    sheet = _sheet("report.css").partition("* {")[0] + _sheet("compare.css").partition(".key-line-4")[0]
    drawn = (".chart text", ".grid", ".line", ".area", ".mark")
    rules = [line for line in _sheet("report.css").splitlines() if line.startswith(drawn)]
    font = 'svg { font: 12.5px system-ui, "DejaVu Sans", sans-serif; } .paper { fill: var(--card); }'
    return "\n".join([sheet, font, *rules])


def _sheet(name: str) -> str:
    return (files("budgetal") / "templates" / name).read_text(encoding="utf-8")


def render_page(found: Mapping[str, Any]) -> str:
    """The page as text. found: as from `figures`."""
    return environment().get_template("compare.html.j2").render(_context(found))


def _context(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": found["name"],
        "lines": list(_lines(found)),
        "collections": [_part(name, entry, found["baseline"]) for name, entry in found["collections"].items()],
        "matrix": _matrix(found["penalty"]),
        "settings": [(arm["name"], _settings(arm["settings"])) for arm in found["arms"]],
    }


def _lines(found: Mapping[str, Any]) -> list[str]:
    n_arms, n_seeds = count(len(found["arms"])), count(len(found["seeds"]))
    ended = f"{count(found['n_finished'])} of {count(found['n_runs'])} runs have ended"
    lines = [f"{n_arms} arms, {n_seeds} seeds: {ended}."]
    if found["n_finished"] < found["n_runs"]:
        lines.append("What follows is of those; comparisons between arms use the seeds that all of them have.")
    return lines


def _part(name: str, entry: Mapping[str, Any], baseline: str | None) -> dict[str, Any]:
    if not entry["arms"]:
        return {"name": name, "figures": [], "tables": []}
    return {"name": name, "figures": list(curve_figures(entry)), "tables": list(tables(entry, baseline))}


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(settings.items()))


def _matrix(penalty: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if penalty is None:
        return None
    most = penalty["n_collections"]
    rows = [
        {"name": name, "cells": _cells(row, most)} for name, row in zip(penalty["arms"], penalty["matrix"], strict=True)
    ]
    rows.append({"name": "mean of the column", "cells": _cells(penalty["column_means"], most)})
    over = "one collection" if most == 1 else f"{most} collections"
    return {"names": penalty["arms"], "rows": rows, "note": MATRIX_NOTE.format(over)}


def _cells(values: list[float], most: int) -> list[dict[str, str]]:
    return [{"text": f"{value:.2f}", "shade": f"{0.75 * value / most:.2f}"} for value in values]
