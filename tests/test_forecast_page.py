"""The page shows the stored back-test and nothing else; the back-test can fail."""

import json
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


def _curve(test_accuracy, name="mnist-margin-1", n_rounds=7):
    from forecasting.curves import Curve

    n = 100 * np.arange(1, n_rounds + 1)
    errors = 2.0 * n**-0.5
    difficulty = np.random.default_rng(0).permutation(400)
    right = np.array([difficulty >= round(400 * error) for error in errors])
    return Curve(name, 20_000, n, right, 1 - 4 * n**-0.5, test_accuracy(errors))


def _result():
    from forecast import RESULT

    return json.loads(RESULT.read_text(encoding="utf-8"))


def test_the_page_is_what_the_result_says():
    from forecast import PAGE, REGION, rendered

    page = PAGE.read_text(encoding="utf-8")
    assert len(REGION.findall(page)) == 1
    assert rendered(page) == page


def test_every_band_holds_as_often_as_is_required():
    result = _result()
    assert min(row["holds"] for row in result["rows"] + result["rows_of_all_seeds"]) >= 0.7
    assert {row["what"] for row in result["rows"]} == {"test accuracy", "audit accuracy", "coverage"}


def test_the_result_names_every_run():
    result = _result()
    names = {f"{c}-{s}-{k}" for c in ("mnist", "cifar10") for s in result["strategies"] for k in range(result["seeds"])}
    assert {curve["run"] for curve in result["curves"]} == names


def test_forecasts_of_a_law_hold_and_those_of_another_world_do_not():
    from forecasting.backtest import outcomes

    honest, other = (
        [one for one in outcomes(_curve(of)) if one.what == "test accuracy"]
        for of in (lambda errors: 1 - errors, lambda errors: 0.5 - errors)
    )
    assert len(honest) == 4 + 3 + 2 + 1
    assert all(one.holds for one in honest)
    assert not any(one.holds for one in other)


def test_a_summary_counts_fresh_seeds_apart_and_the_worst_run():
    from forecast import rendered_table, summary

    good = _curve(lambda errors: 1 - errors)
    bad = _curve(lambda errors: 0.5 - errors, name="mnist-random-1")
    seen = _curve(lambda errors: 0.5 - errors, name="mnist-random-0")
    result = summary([good, bad, seen], 2)
    row = next(row for row in result["rows"] if row["what"] == "test accuracy")
    assert (row["runs"], row["forecasts"], row["holds"], row["lowest_of_a_run"]) == (2, 20, 0.5, 0.0)
    assert row["below"] == 0.5
    assert result["share_all"] < result["share_fresh"]
    assert "50.0%" in rendered_table(result)
