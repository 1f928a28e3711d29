"""Figures, tables and page from made-up results whose means can be worked out by hand."""

import csv
import io
import json
from xml.etree import ElementTree

import pytest

from budgetal.compare.figures import Finished, figures
from budgetal.compare.page import render_page, write_results
from budgetal.compare.plan import Axis, Comparison
from budgetal.compare.tables import ROUND_FIELDS, rounds_csv, summary_csv


def _record(number, n_human, accuracy):
    record = dict.fromkeys(ROUND_FIELDS)
    return record | {"round": number, "n_human": n_human, "accuracy": accuracy, "coverage": 0.5, "seconds": 1.0}


def _result(*points):
    rounds = [_record(i, n, accuracy) for i, (n, accuracy) in enumerate(points)]
    return {"rounds": rounds, "final": rounds[-1], "stop_reason": "budget spent", "fallback_round": None}


@pytest.fixture
def finished():
    """Two arms, three seeds; "=weak" has one seed less."""
    axis = Axis("strategy", {"=weak": {"strategy": "random"}, "strong": {"strategy": "margin"}})
    comparison = Comparison("A & B", {"bars": "bars"}, (0, 1, 2), {"budget": 30}, (axis,), (0.6, 0.9), baseline="=weak")
    results = {}
    for run in comparison.runs():
        lift = 0.0 if run.arm.name == "=weak" else 0.1
        noise = 0.01 * run.seed
        if (run.arm.name, run.seed) != ("=weak", 2):
            results[run] = _result((10, 0.5 + noise), (20, 0.7 + lift + noise), (30, 0.8 + lift + noise))
    return Finished(comparison, results)


def test_means_targets_areas_and_leads(finished):
    found = figures(finished)
    bars = found["collections"]["bars"]
    strong = bars["arms"]["strong"]
    assert (found["n_runs"], found["n_finished"]) == (6, 5)
    assert strong["final"]["accuracy"]["mean"] == pytest.approx(0.91)
    assert strong["labels_to"]["accuracy"][0]["labels"]["mean"] == 20
    assert strong["labels_to"]["accuracy"][1]["by_seed"] == [30, 30, 30]
    assert bars["arms"]["=weak"]["labels_to"]["accuracy"][1] == {
        **{"target": 0.9, "n_reached": 0, "n_seeds": 2, "labels": None, "by_seed": [None, None]}
    }
    accuracy = bars["metrics"]["accuracy"]
    assert accuracy["area"]["=weak"]["mean"] == pytest.approx((0.6 + 0.75) / 2 + 0.005)
    assert accuracy["paired_seeds"] == [0, 1]
    assert accuracy["lead"]["strong"] == {"n_human": 10, "mean": 0.0, "low": 0.0, "high": 0.0, "n": 2}
    assert bars["metrics"]["test_accuracy"] is None
    assert found["penalty"]["matrix"] == [[0, 0], [pytest.approx(2 / 3), 0]]
    assert found["penalty"]["column_means"] == [pytest.approx(2 / 3), 0]


def test_tables_are_tidy_and_safe_for_spreadsheets(finished):
    rows = list(csv.DictReader(io.StringIO(rounds_csv(finished))))
    assert len(rows) == 15
    assert rows[0]["arm"] == "'=weak"
    assert (rows[0]["strategy"], rows[0]["seed"], rows[0]["n_human"]) == ("'=weak", "0", "10")
    measures = {row["measure"] for row in csv.DictReader(io.StringIO(summary_csv(figures(finished))))}
    assert {"labels to accuracy 0.9", "area under accuracy", "coverage at the end"} <= measures


def test_the_page_is_one_file_without_scripts_and_escapes_names(finished):
    page = render_page(figures(finished))
    assert "<h1>A &amp; B</h1>" in page
    assert "5 of 6 runs have ended" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<svg") == 2
    assert "+0.00" in page


def test_everything_is_written_and_charts_stand_alone(finished, tmp_path):
    write_results(finished, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "results.json",
        "rounds.csv",
        "summary.csv",
        "index.html",
        "bars-accuracy.svg",
        "bars-coverage.svg",
    }
    assert json.loads((tmp_path / "results.json").read_text())["seeds"] == [0, 1, 2]
    chart = (tmp_path / "bars-accuracy.svg").read_text()
    style = ElementTree.fromstring(chart).find("{http://www.w3.org/2000/svg}style")
    assert style is not None
    assert ".line-2 {" in style.text
    assert "=weak</text>" in chart
    assert "--s4" in chart


def test_without_any_result_there_is_a_page_that_says_so(finished, tmp_path):
    empty = Finished(finished.comparison, {})
    found = write_results(empty, tmp_path)
    assert found["penalty"] is None
    assert "No run has finished yet" in (tmp_path / "index.html").read_text()
