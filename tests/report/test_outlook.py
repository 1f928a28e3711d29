"""The forecast in words and charts."""

from dataclasses import replace

import pytest
from report_examples import example_report

from budgetal.report import render_report
from budgetal.report.outlook import advice_lines, forecast_lines, purchase_rows, spent_line

BAND = {"low": 0.8, "middle": 0.9, "high": 0.95}
COUNTS = {"low": 100.0, "middle": 250.0, "high": None}
SPENT = {"n_labels": 150, "money": 75.5, "compute_hours": 0.5, "compute_money": 0.25, "n_labels_left": 0}


def _forecast(**changes):
    purchase = {"n_labels": 100, "money": 50.0, "accuracy": BAND, "coverage": BAND}
    return {
        "reason": None,
        "spent": SPENT,
        "note": "Whoever ends the run because of it has chosen the end.",
        "level": 0.8,
        "n_rounds": 8,
        "n_training": 84,
        "n_audit": 66,
        "next": [{**purchase, "accuracy_gain": BAND, "coverage_gain": BAND}],
        "curves": [{"n_human": n, "accuracy": BAND, "coverage": BAND} for n in (80, 150, 1_150)],
        "targets": [],
        "cheapest": {"n_more": 0, "n_human": 500, "n_automatic": 1_297, "n_predicted": 0, "money": COUNTS},
        "next_batch": {"n_labels": 10, "cost": 5.0, "saving": COUNTS, "expected_saving": 2.5, "pays": False},
        **changes,
    }


def _target(n_labels, chance=0.9):
    return {"what": "coverage", "target": 0.95, "n_labels": n_labels, "money": n_labels, "chance": chance}


def _said(**changes):
    return "\n".join(forecast_lines(_forecast(**changes)))


def test_all_of_it_is_said_in_lines():
    said = _said()
    assert "Spent: 150 labels for 75.50, 30.0 min of computing for 0.25; 0 labels are left." in said
    assert "100 labels more for 50: accuracy 90.0 % (80.0 % to 95.0 %)" in said
    assert "no label more to train on; in the end 500 by people, 1,297 automatically" in said
    assert "another label does not pay: stop" in said
    assert said.endswith("has chosen the end.")


def test_what_is_free_has_no_price():
    spent = {"n_labels": 0, "n_labels_left": 150, "money": 0.0, "compute_hours": 0.0, "compute_money": 0.0}
    assert spent_line(spent) == "Spent: 0 labels, 0.0 s of computing; 150 labels are left."


def test_a_batch_that_pays_is_said_to():
    batch = {"n_labels": 10, "cost": 5.0, "saving": COUNTS, "expected_saving": 9.0, "pays": True}
    assert "it pays" in _said(next_batch=batch)
    assert "No image is left to label." in _said(next_batch={**batch, "n_labels": 0})


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (_target(COUNTS), "Coverage of 95.0 %: 250 (100 to all images) labels more"),
        (_target({"low": 0.0, "middle": 0.0, "high": 0.0}), "Coverage of 95.0 %: reached."),
        (_target({"low": None, "middle": None, "high": None}, 0.02), "not in sight"),
        (_target({"low": 5.0, "middle": None, "high": None}), "all (5 to all images)"),
    ],
)
def test_the_way_to_a_target(target, said):
    assert said in next(iter(advice_lines(_forecast(targets=[target]))))


def test_without_a_forecast_the_reason_stands_in_its_place():
    assert _said(reason="A forecast needs 3 finished rounds: none has finished.").endswith("none has finished.")


def test_the_page_has_a_section_with_two_charts_and_a_table():
    data = example_report()
    page = render_report(replace(data, summary={**data.summary, "forecast": _forecast()}))
    assert page.count("<svg") == render_report(data).count("<svg") + 2
    assert all(text in page for text in ('href="#outlook"', "Accuracy to come", "Coverage gained", "chosen the end"))
    assert purchase_rows(_forecast())[0][:2] == ("100", "50")


def test_a_page_without_forecast_has_no_section_and_one_with_a_reason_says_it():
    data = example_report()
    assert "outlook" not in render_report(data)
    little = {"reason": "A forecast needs 3 finished rounds: 1 has finished.", "spent": SPENT, "note": ""}
    assert "1 has finished" in render_report(replace(data, summary={**data.summary, "forecast": little}))
