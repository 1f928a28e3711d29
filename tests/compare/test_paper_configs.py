"""Every config of the paper's figures is valid, and SVHN's run to their end on a small file of its format."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from collections_made import write_npy
from scipy.io import savemat

from budgetal.compare.config import load_comparison
from budgetal.compare.play import play
from budgetal.compare.runner import Runner
from budgetal.data.sources import load_collection

CONFIGS = sorted((Path(__file__).parents[2] / "benchmarks" / "paper").glob("*.toml"))
SMALL = {"pool_size": 150, "budget": 50, "audit": 20, "initial": 10, "batch": 10, "seeds": 1}


def _write_svhn(folder, split, n, seed):
    """Noise with a bright band whose height tells the digit, as the data set's authors store it: 10 means 0."""
    rng = np.random.default_rng(seed)
    digits = rng.permutation(n) % 10
    images = rng.integers(0, 90, (32, 32, 3, n))
    for i, digit in enumerate(digits):
        images[3 * digit : 3 * digit + 4, :, :, i] += 150
    labels = np.where(digits == 0, 10, digits).astype(np.uint8)
    folder.mkdir(exist_ok=True)
    savemat(folder / f"{split}_32x32.mat", {"X": images.astype(np.uint8), "y": labels[:, None]})


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """What $DATA may hold: SVHN's two files, and the others' folders."""
    folder = tmp_path_factory.mktemp("data")
    _write_svhn(folder, "train", 200, seed=0)
    _write_svhn(folder, "test", 40, seed=1)
    for name in ("cifar10", "mnist"):
        write_npy(folder / name / "train", 30)
        write_npy(folder / name / "test", 30, seed=1)
    return folder


@pytest.fixture(autouse=True)
def _places(data, monkeypatch):
    monkeypatch.setenv("DATA", str(data))
    monkeypatch.setenv("WEIGHTS", str(data))


def test_there_is_a_config_of_both_scales_for_each_experiment():
    names = {path.stem for path in CONFIGS}
    paper = {"figure2", "figure3", "figure4", "figure5", "cifar10"}
    assert names == paper | {f"{name}-cpu" for name in paper}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_is_valid_and_the_papers_are_at_its_scale(path):
    found = load_comparison(path)
    assert len(found.seeds) >= 5
    if not path.stem.endswith("cpu"):
        assert found.pool_size == 40_000
        fixed = {"initial": 10_000, "batch": 1_000, "epochs": 15, "train_batch": 32, "learning_rate": 0.05}
        assert {name: found.settings[name] for name in fixed} == fixed


def test_svhn_is_read_as_its_authors_publish_it(data):
    found = load_collection("svhn", side=32, data_root=str(data))
    assert len(found.samples) == 200
    assert found.classes == tuple("0123456789")
    assert sorted({sample.label for sample in found.samples}) == list("0123456789")


def _small_runner(name, folder):
    text = next(path for path in CONFIGS if path.stem == name).read_text()
    for setting, value in SMALL.items():
        text = re.sub(rf"^{setting} = .*$", f"{setting} = {value}", text, flags=re.MULTILINE)
    path = folder / "small.toml"
    path.write_text(text)
    runner = Runner(load_comparison(path), folder / "out")
    runner.prepare()
    return runner


def test_an_arm_of_svhns_config_runs_to_its_end_on_a_small_file(data, tmp_path):
    runner = _small_runner("figure3-cpu", tmp_path)
    result = play(runner.folder_of(runner.runs[1]))
    assert result["final"]["n_human"] == 50
    assert result["final"]["test_accuracy"] > 0.3
    settings = json.loads((runner.folder_of(runner.runs[1]) / "run.json").read_text())["settings"]
    assert (settings["test_images"], settings["data_root"]) == ("svhn", str(data))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["figure3-cpu", "figure4-cpu"])
def test_svhns_configs_run_to_their_end_on_a_small_file(name, tmp_path):
    runner = _small_runner(name, tmp_path)
    for run in runner.runs:
        assert play(runner.folder_of(run))["final"]["n_human"] == 50
