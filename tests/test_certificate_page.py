"""The page of the certificate shows the stored results and nothing else, and the benchmark behind them runs."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from budgetal.project import Project
from budgetal.simulate import simulate

ROOT = Path(__file__).parents[1]
BENCHMARK = ROOT / "benchmarks" / "certificate_validity.py"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARK.parent)


@pytest.fixture(scope="module")
def make_digits(tmp_path_factory):
    """A finished project of the digits under the name of the collection that they resemble."""
    folder = tmp_path_factory.mktemp("runs") / "mnist-0"
    simulate("digits", folder, budget=150, audit=90, initial=10, batch=10)
    return folder


@pytest.fixture
def results():
    from certificate_validity import RESULTS

    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_page_is_what_the_results_say():
    from certificate_validity import PAGE, REGION, RESULTS, rendered

    page = PAGE.read_text(encoding="utf-8")
    assert len(REGION.findall(page)) == page.count("<!-- end -->") == 3
    assert rendered(page, RESULTS) == page


def test_the_stored_runs_are_as_many_as_the_page_needs_and_the_certificate_held(results):
    by_group = {(row["group"], row["risk"]): row for row in results["groups"]}
    growing = [*results["growing"]["groups"], *results["growing_real"]["groups"]]
    assert min(row["runs"] for row in growing) >= 160
    assert {row["group"] for row in results["growing_real"]["groups"]} == {"mnist", "cifar10"}
    real = [row for (group, _), row in by_group.items() if group in ("mnist", "cifar10")]
    assert sum(row["runs"] for row in by_group.values()) - sum(row["runs"] for row in real) >= 1_000
    assert sum(row["runs"] for row in real) >= 200
    for row in [*by_group.values(), *growing]:
        found = row["methods"]["certified"]
        test = binomtest(found["broken"], row["runs"], row["risk"], alternative="greater")
        assert found["p_value"] == pytest.approx(test.pvalue, abs=1e-4)
        assert found["p_value"] > 0.01


def test_the_benchmark_runs(tmp_path):
    out = tmp_path / "results.json"
    command = [sys.executable, str(BENCHMARK), "--runs", "1", "--pools", "500", "--json", str(out)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(out.read_text())
    assert sum(row["runs"] for row in found["groups"]) == 32
    assert "| certified |" in ended.stdout
    command[2:4] = ["--growing", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    grown = json.loads(out.read_text())
    assert sum(row["runs"] for row in grown["growing"]["groups"]) == 32
    assert grown["groups"] == found["groups"]


def test_a_broken_promise_is_counted():
    """A run on labels that are wrong everywhere has no certificate; every rule of thumb breaks."""
    from validity.play import Run, Setting
    from validity.worlds import synthetic

    rng = np.random.default_rng(0)
    world = synthetic("calibrated", 1_500, 0.05, rng)
    world.luck[:] = 0
    outcomes = Run(world, Setting(0.05, 0.05, 500), rng).play()
    assert not outcomes["certified"].broken
    assert outcomes["certified"].coverage == 0
    assert outcomes["softmax ≥ 0.9"].broken


def test_growing_audits_are_played_on_what_a_projects_models_said(make_digits, monkeypatch, capsys):
    """A tenth of the real sizes: parts of a small project's images, by each of its last rounds."""
    import certificate_validity
    from validity.worlds import read_predictions

    folder = make_digits
    monkeypatch.setattr(certificate_validity, "REAL_POOLS", (500, 1_000))
    args = argparse.Namespace(growing_real=8, projects=[folder], seed=0)
    found = certificate_validity.measure_growing_real(args)
    assert sum(row["runs"] for row in found["groups"]) == 8
    assert {row["group"] for row in found["groups"]} == {"mnist"}
    capsys.readouterr()
    predictions = read_predictions(folder, 5)
    project = Project.open(folder)
    trained = project.learner.views.training_rows(project.state)
    assert not np.isin(predictions.rows, trained).any()
    part = predictions.part(500, np.random.default_rng(0))
    assert [probs.shape for probs in part.probs] == [(500, 10)] * 5
    with pytest.raises(ValueError, match="has predictions of"):
        read_predictions(folder, 50)


def test_queries_pass_audit_images_over_as_the_library_does():
    from validity.play import Run, Setting
    from validity.worlds import synthetic

    rng = np.random.default_rng(1)
    run = Run(synthetic("calibrated", 1_000, 0.05, rng), Setting(0.05, 0.05, 400), rng)
    run.predict(0)
    labelled, is_open = run.is_labelled.copy(), run.is_open.copy()
    run.query()
    assert (run.is_labelled & ~labelled).sum() == run.batch
    assert not run.is_labelled[run.audit].any()
    passed = is_open & ~run.is_open & ~run.is_labelled
    assert set(np.flatnonzero(passed)) <= set(run.audit)


@pytest.mark.parametrize("raised", [True, False])
def test_runs_whose_audit_grows_draw_it_outside_queries_and_spend_what_the_other_half_was(raised):
    from validity.growing import GrowingRun
    from validity.play import Run, Setting
    from validity.worlds import synthetic

    rng = np.random.default_rng(2)
    run = Run(synthetic("calibrated", 2_000, 0.1, rng), Setting(0.1, 0.1, 600), rng)
    n_audit = len(run.audit)
    growing = GrowingRun(run, raised=raised)
    assert len(run.audit) == n_audit - n_audit // 2
    outcome = growing.play()["certified"]
    assert not run.is_labelled[run.audit].any()
    assert len(run.audit) == n_audit
    assert run.is_labelled.sum() == 7 * run.batch + (1 if raised else 2) * growing.half
    assert not outcome.broken
    assert raised or outcome.coverage > 0.1


def test_a_run_that_grows_notices_promises_that_are_broken():
    from validity.growing import GrowingRun
    from validity.play import Run, Setting
    from validity.worlds import synthetic

    rng = np.random.default_rng(3)
    run = Run(synthetic("calibrated", 2_000, 0.1, rng), Setting(0.1, 0.1, 600), rng)
    # People who answer the audit say that all is right, and nothing is.
    seen = run.world.truth.copy()
    growing = GrowingRun(run, raised=False)
    look = growing._look

    def lied(proposals, open_rows, audit, risk):
        run.world.truth[audit] = proposals.targets[audit]
        others = np.setdiff1d(open_rows, audit)
        run.world.truth[others] = (proposals.targets[others] + 1) % 10
        return look(proposals, open_rows, audit, risk)

    growing._look = lied
    assert growing.play()["certified"].broken
    assert (run.world.truth != seen).any()
