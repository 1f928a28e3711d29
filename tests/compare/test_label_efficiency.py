"""The benchmark of label efficiency: its harder collections, its requirements, and a small run to the end."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from collections_made import write_npy

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


def test_duplicates_are_near_and_none_is_equal():
    from efficiency.harder import duplicated

    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3)).astype(np.uint8)
    found, labels = duplicated(images, np.arange(40), np.random.default_rng(1))
    assert found.shape == images.shape
    assert labels[:20].tolist() == labels[20:].tolist()
    difference = np.abs(found[:20].astype(int) - found[20:])
    assert difference.max() == 1
    assert len({image.tobytes() for image in found}) == 40


def test_imbalance_is_a_hundred_to_one():
    from efficiency.harder import imbalanced

    labels = np.repeat(np.arange(5), 1000)
    _images, found = imbalanced(np.zeros((5000, 1, 1), np.uint8), labels, np.random.default_rng(0))
    assert np.bincount(found).tolist() == [1000, 316, 100, 32, 10]


def _figures(**ends):
    arms = {name: {"final": {"accuracy": {"mean": value, "n": 5}}} for name, value in ends.items()}
    lead = {name: {"mean": value - ends["random"], "n": 5} for name, value in ends.items() if name != "random"}
    return {"collections": {"mnist": {"arms": arms, "metrics": {"accuracy": {"lead": lead}}}}}


def test_requirements_can_fail():
    from efficiency.required import little_lost, minority_recall, never_below_random

    clean = _figures(random=0.9, margin=0.96, informative=0.89)
    assert [check.holds for check in never_below_random(clean, "mnist")] == [True, False]
    noisy = _figures(random=0.85, margin=0.945, informative=0.86)
    assert [check.holds for check in little_lost("noise", clean, noisy, "mnist")] == [True, False]
    assert [check.holds for check in little_lost("duplicates", clean, noisy, "mnist")] == [False, False]
    recall = {"random": [0.9, 0.9, 0.5, 0.3], "margin": [0.9, 0.9, 0.6, 0.45], "informative": [0.9, 0.9, 0.5, 0.4]}
    results = {name: [{"final": {"class_recall": values}}] for name, values in recall.items()}
    assert [check.holds for check in minority_recall(results)] == [True, False]


def test_a_small_one_runs_to_its_end(tmp_path, monkeypatch, capsys):
    import label_efficiency
    from efficiency import comparisons

    for split in ("train", "test"):
        write_npy(tmp_path / "data" / "mnist" / split, 120, seed=len(split))
    small = {"budget": 40, "audit": 20, "initial": 10, "batch": 10, "tolerance": 0.2}
    monkeypatch.setattr(comparisons, "MNIST", small)
    common = ["label_efficiency.py", "--data", str(tmp_path / "data"), "--runs", str(tmp_path / "runs")]
    more = ["--out", str(tmp_path / "out"), "--only", "mnist", "--seeds", "1", "--systems", "random"]
    monkeypatch.setattr(sys, "argv", common + more)
    label_efficiency.main()
    out = capsys.readouterr().out
    assert "mnist-clean-head: 1 of 1 runs" in out
    assert "| random | 1 |" in out
    assert json.loads((tmp_path / "out" / "mnist-clean-head-results.json").read_text())["n_finished"] == 1
