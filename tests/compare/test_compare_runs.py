"""Runs: what they measure, that a killed one goes on, and that nothing is played twice."""

import functools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.cli import exit_code
from budgetal.compare.config import load_comparison
from budgetal.compare.measure import Recorder, measured, read_rounds
from budgetal.compare.play import RESULT, ROUNDS, play
from budgetal.compare.pools import draw_pool
from budgetal.compare.runner import Runner
from budgetal.errors import ConfigError, ProjectError
from budgetal.simulate import run, true_labels

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}
TEXT = """
dataset = "DATA"
seeds = 1
targets = [0.5, 0.9]
baseline = "random"
[settings]
budget = 60
audit = 30
initial = 10
batch = 10
tolerance = 0.2
risk = 0.2
[axes]
strategy = ["random", "margin"]
"""


@pytest.fixture
def file(images, tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(TEXT.replace("DATA", str(images)))
    return path


@pytest.fixture
def runner(file, tmp_path):
    made = Runner(load_comparison(file), tmp_path / "out")
    made.prepare()
    return made


def test_measured_is_what_the_labels_are(make):
    project = make()
    truth = true_labels(project)
    run(project, Oracle(truth, project.config.classes))
    found, rows = measured(project, truth), project.label_rows()
    right = [row.label == truth[row.sample_id] for row in rows]
    automatic = [ok for ok, row in zip(right, rows, strict=True) if row.provenance == "auto"]
    assert found["accuracy"] == np.mean(right)
    assert (found["n_human"], found["n_audit"], found["n_auto"]) == (60, 30, len(automatic))
    assert found["auto_error"] == pytest.approx(1 - np.mean(automatic))
    assert found["coverage"] == pytest.approx((60 + len(automatic)) / 240)
    assert np.mean(found["class_recall"]) == pytest.approx(np.mean(right))
    report = project.write_outputs(truth)
    assert report["dataset_accuracy_true"] == pytest.approx(found["accuracy"])
    assert report["auto_label_error_true"] == pytest.approx(found["auto_error"])


def test_images_that_wait_for_an_answer_count_as_the_model_has_them(make):
    """They are in no export, for whoever answers to stay blind; without them the hardest would be left out here."""
    project = make()
    truth = true_labels(project)
    oracle = Oracle(truth, project.config.classes)
    while not project.state.rounds:
        project.tell(oracle.annotate(project.ask()))
        query = project.ask()
    assert len(project.label_rows()) == 240 - len(query.sample_ids)
    predicted = project.workspace.arrays.get(project.state.probs_ref).argmax(axis=1)
    right = [
        project.state.labels[sample.sample_id].label == truth[sample.sample_id]
        if sample.sample_id in project.state.labels
        else project.config.classes[predicted[row]] == truth[sample.sample_id]
        for row, sample in enumerate(project.samples)
    ]
    assert measured(project, truth)["accuracy"] == np.mean(right)


def test_a_torn_line_is_left_out_and_written_again(tmp_path):
    path = tmp_path / ROUNDS
    path.write_text('{"a": 1}\n{"a": 2}\n{"a"')
    assert read_rounds(path) == [{"a": 1}, {"a": 2}]
    assert path.read_text().endswith('{"a"')
    Recorder(path, {})
    assert path.read_text() == '{"a": 1}\n{"a": 2}\n'


def test_the_command_plays_everything_once_and_says_where_the_page_is(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert exit_code(["compare", str(file), "--out", str(out), "--jobs", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_finished"] == 2
    arms = next(iter(found["collections"].values()))["arms"]
    assert arms["margin"]["final"]["n_human"]["mean"] == 60
    assert arms["margin"]["labels_to"]["accuracy"][0]["n_reached"] == 1
    assert not list(out.glob("runs/*/project"))
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*")}
    assert exit_code(["compare", str(file), "--out", str(out)]) == 0
    assert "Open the results" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*")} == before
    file.write_text(file.read_text().replace("batch = 10", "batch = 15"))
    assert exit_code(["compare", str(file), "--out", str(out)]) == 2
    assert "holds a run with another 'batch'" in capsys.readouterr().err


def test_a_run_killed_at_any_round_ends_as_one_that_was_not(runner, monkeypatch):
    first, second = runner.runs
    whole = play(runner.folder_of(first))
    folder = runner.folder_of(first)
    (folder / RESULT).unlink()
    (folder / ROUNDS).unlink()

    def dies(self, project):
        original(self, project)
        if len(project.state.rounds) == 2:
            raise KeyboardInterrupt

    original = Recorder.__call__
    monkeypatch.setattr(Recorder, "__call__", dies)
    with pytest.raises(KeyboardInterrupt):
        play(folder)
    assert len(read_rounds(folder / ROUNDS)) == 2
    monkeypatch.setattr(Recorder, "__call__", original)
    again = play(folder)
    timeless = [[{**one, "seconds": 0} for one in result["rounds"]] for result in (whole, again)]
    assert timeless[0] == timeless[1]
    assert second.folder != first.folder


def test_runs_share_the_features_of_a_frozen_network(runner, monkeypatch):
    from budgetal.engine.frozen import FrozenBackbone

    n_embedded = []
    embed = FrozenBackbone._embed
    monkeypatch.setattr(FrozenBackbone, "_embed", lambda *a: n_embedded.append(1) or embed(*a))
    for one in runner.runs:
        play(runner.folder_of(one))
    assert len(n_embedded) == 1


def test_a_run_that_cannot_be_says_why_and_the_others_end(file, tmp_path, capsys):
    text = file.read_text().replace('baseline = "random"', "")
    file.write_text(text.replace('["random", "margin"]', '["random"]\naudit_opinions = [1, 3]'))
    assert exit_code(["compare", str(file), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "failed: The audit of 90 labels is above the budget of 60" in said
    assert len(list((tmp_path / "out").glob(f"runs/*/{RESULT}"))) == 1
    assert (tmp_path / "out" / "index.html").exists()


def test_ctrl_c_ends_the_runs_and_says_how_to_go_on(file, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "budgetal", "compare", str(file), "--out", str(out)]
    # A test that runs in the background may ignore SIGINT, and its children with it.
    listens = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=listens)
    deadline = time.monotonic() + 240
    while not list(out.glob("runs/*/lock")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(first.pid, signal.SIGINT)
    said = first.communicate(timeout=240)[1]
    assert first.returncode == 130
    assert "Nothing is lost" in said
    assert (out / "index.html").exists()


def test_a_smaller_pool_is_a_random_part_the_same_each_time(images, tmp_path):
    first = draw_pool(str(images), 50, tmp_path / "a")
    second = draw_pool(str(images), 50, tmp_path / "b")
    drawn = np.load(first / "train" / "images.npy")
    assert drawn.shape == (50, 16, 16, 3)
    assert (drawn == np.load(second / "train" / "images.npy")).all()
    every = {image.tobytes() for image in np.load(images / "images.npy")}
    assert all(image.tobytes() in every for image in drawn)
    with pytest.raises(ConfigError, match="240 images"):
        draw_pool(str(images), 241, tmp_path / "c")


def test_another_setting_in_the_same_folder_is_refused(file, runner, tmp_path):
    file.write_text(file.read_text().replace("tolerance = 0.2", "tolerance = 0.1"))
    with pytest.raises(ProjectError, match="another 'tolerance'"):
        Runner(load_comparison(file), tmp_path / "out").prepare()
    with pytest.raises(ConfigError, match="--jobs 1"):
        Runner(load_comparison(file), tmp_path / "out", 0)


def test_a_project_is_kept_where_that_is_asked_for(file, tmp_path):
    runner = Runner(load_comparison(file), tmp_path / "out", keep=True)
    runner.prepare()
    play(runner.folder_of(runner.runs[0]))
    assert (runner.folder_of(runner.runs[0]) / "project" / "journal.db").exists()
