"""The speed benchmark runs, its checks can fail, and the page shows its results and nothing else."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

from budgetal.query.strategy import list_strategies, select, strategies

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
SMALL = ["--n", "500", "--d", "16", "--classes", "5", "--batch", "20", "--labelled", "30", "--repeats", "1"]


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.fixture
def small(tmp_path):
    """A folder with the data of a small benchmark."""
    from selection.data import Size, write_data

    write_data(Size(n=500, d=16, classes=5, batch=20, labelled=30, noise=0.7, seed=0), tmp_path)
    return tmp_path


def _run(*arguments):
    command = [sys.executable, str(BENCHMARKS / "selection_speed.py"), *SMALL, "--json", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=580)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    return json.loads(ended.stdout)


def test_the_page_is_what_the_results_say():
    from performance_page import PAGE, REGION, RESULTS, rendered

    page = PAGE.read_text(encoding="utf-8")
    assert len(REGION.findall(page)) == page.count("<!-- end -->") > 0
    assert rendered(page, RESULTS) == page


def test_the_page_has_no_figures_of_its_own():
    from performance_page import PAGE, REGION

    prose = REGION.sub("", PAGE.read_text(encoding="utf-8"))
    assert not re.search(r"\d ?(GB|GiB|MiB|GFLOP|ms)\b|\d times as fast|\d×", prose)


def test_the_benchmark_measures_time_memory_and_the_limit():
    results = _run("--strategies", "margin")
    (outcome,) = results["strategies"]
    assert outcome["name"] == "margin"
    assert outcome["seconds"] > 0
    assert outcome["extra_mib"] >= 0
    assert all(work["bound_s"] > 0 for work in outcome["work"])
    assert results["machine"]["fp32_gflop_per_s"] > 1
    assert results["size"]["n"] == 500


@pytest.mark.slow
def test_every_strategy_and_peer_runs_on_what_the_benchmark_makes_up():
    results = _run("--peers")
    assert {outcome["name"] for outcome in results["strategies"]} == {entry.name for entry in list_strategies()}
    assert all("seconds" in peer and peer["ratio"] > 0 for peer in results["peers"])


def _missing(distribution):
    try:
        return not version(distribution)
    except PackageNotFoundError:
        return True


@pytest.mark.skipif(_missing("scikit-activeml"), reason="the extra 'peers' is not installed")
@pytest.mark.parametrize("name", ["core_set", "entropy", "least_confidence", "margin"])
def test_a_peer_that_defines_the_same_picks_the_same(name, small):
    from selection.agreement import compare
    from selection.peers import load_peer
    from selection.supplies import read_pool

    pool = read_pool(strategies[name].needs, small, "cpu")
    ours = select(name, pool, 20, np.random.default_rng(0)).rows.numpy()
    found = compare(name, small, ours, load_peer("scikit-activeml").make_call(name, small)())
    assert found.share == 1.0
    assert found.compared >= 19


def test_a_call_over_its_budget_is_ended_and_said(small):
    from selection.processes import Runner

    assert Runner(small, repeats=1, budget_s=1e-5, device="cpu").measure("budgetal", "core_set") == {"over_s": 1e-5}


def test_a_failure_is_said_and_not_hidden():
    from selection.processes import last_line
    from selection_speed import is_bad

    ended = subprocess.CompletedProcess([], 1, stdout="", stderr="Traceback ...\nMemoryError: too much\n")
    assert last_line(ended) == {"error": "MemoryError: too much"}
    assert is_bad(last_line(ended))
    assert is_bad({"same_share": 0.99})
    assert not is_bad({"seconds": 1.0, "same_share": 1.0})


def test_other_picks_are_noticed_and_ties_are_not():
    from selection.agreement import compare_top

    values = np.array([0.9, 0.5, 0.5, 0.1])
    assert compare_top(values, np.array([0, 1]), np.array([0, 2])).share == 1.0
    assert compare_top(values, np.array([0, 1]), np.array([3, 1])).share == 0.0


def test_k_center_is_compared_up_to_the_first_tie(tmp_path):
    from selection.agreement import compare_k_center

    pool = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
    np.save(tmp_path / "embeddings.npy", pool)
    np.save(tmp_path / "labelled_embeddings.npy", pool[:1])
    tied = compare_k_center(tmp_path, np.array([1, 2, 3]), np.array([1, 3, 2]))
    assert (tied.compared, tied.share) == (1, 1.0)
    assert compare_k_center(tmp_path, np.array([1, 2]), np.array([2, 3])).share == 0.5


def test_made_up_data_are_unit_rows_and_probabilities_and_the_same_for_a_seed(tmp_path):
    from selection.data import Size, write_data

    size = Size(n=300, d=32, classes=4, batch=5, labelled=20, noise=0.7, seed=3)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_data(size, tmp_path / name)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    assert np.allclose(np.linalg.norm(np.load(tmp_path / "one" / "embeddings.npy"), axis=1), 1, atol=1e-5)
    assert np.allclose(np.load(tmp_path / "one" / "probs.npy").sum(axis=1), 1, atol=1e-5)
    targets = np.load(tmp_path / "one" / "targets.npy")
    assert (np.load(tmp_path / "one" / "probs.npy").argmax(axis=1) == targets).mean() > 0.6


def test_a_bound_is_the_larger_of_reading_and_computing():
    from selection.data import Size
    from selection.work import Work, bound, works

    limits = {"read_gb_per_s": 10.0, "fp32_gflop_per_s": 100.0}
    assert bound(Work("", 20e9, 50e9), limits)["bound_s"] == 2.0
    assert bound(Work("", 20e9, 500e9), limits) | {"bound_by": ""} == {
        "how": "",
        "gb": 20.0,
        "gflop": 500.0,
        "bound_s": 5.0,
        "bound_by": "",
    }
    size = Size(n=1000, d=10, classes=3, batch=5, labelled=7, noise=0.7, seed=0)
    loop, product = works("core_set", strategies["core_set"].needs, size)
    assert (loop.n_bytes, product.n_bytes) == (4 * 10_000 * 6, 4 * 10_000)
    assert loop.operations == product.operations == 2 * 10_000 * 12
