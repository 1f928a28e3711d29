"""Each command does what its help says; results go to stdout, everything else to stderr."""

import csv
import json

import numpy as np
import pytest
from collections_made import CLASSES, write_npy, write_tree

from budgetal.cli import app, exit_code
from budgetal.project import Project

LOOP = ["--budget", "40", "--audit", "24", "--initial", "8", "--batch", "8", "--tolerance", "0.2", "--risk", "0.2"]
REPORT_KEYS = {
    "n_samples",
    "n_human_labels",
    "n_audit_labels",
    "n_auto_labels",
    "n_unlabelled",
    "auto_label_error_true",
    "dataset_accuracy_true",
    "test_accuracy",
    "certificate",
    "rounds",
    "seconds_total",
    "peak_memory_mb",
    "seed",
    "versions",
}
ROUND_KEYS = {
    "round",
    "n_human",
    "n_auto",
    "coverage",
    "train_loss",
    "audit_accuracy",
    "test_accuracy",
    "upper_bound",
    "spent",
    "seconds",
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    write_npy(folder / "train", 150)
    write_npy(folder / "test", 60, seed=9)
    return folder


@pytest.fixture(scope="module")
def simulated(dataset, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "simulated"
    assert exit_code(["simulate", "--dataset", str(dataset), "--out", str(out), *LOOP]) == 0
    return out


@pytest.fixture(scope="module")
def tree_project(tmp_path_factory):
    """A project over image files, driven to its end by `run --oracle`."""
    folder = tmp_path_factory.mktemp("tree")
    write_tree(folder / "images", 90)
    project = folder / "project"
    assert exit_code(["init", str(project), "--images", str(folder / "images"), *LOOP]) == 0
    truth = {path: sample.label for sample in Project.open(project).samples for path in sample.paths}
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *truth.items()])
    assert exit_code(["run", str(project), "--oracle", str(folder / "labels.csv")]) == 0
    return project, truth


def test_simulate_writes_what_the_contract_of_report_json_says(simulated):
    report = json.loads((simulated / "report.json").read_text())
    assert set(report) >= REPORT_KEYS
    assert all(set(record) >= ROUND_KEYS for record in report["rounds"])
    assert report["n_human_labels"] == 40
    assert report["n_audit_labels"] == 24
    assert report["n_human_labels"] + report["n_auto_labels"] + report["n_unlabelled"] == 150
    assert 0.5 < report["test_accuracy"] <= 1
    assert {path.name for path in simulated.iterdir()} >= {"labels.csv", "report.html", "report.json", "model"}


def test_simulate_counts_its_true_errors_from_its_own_labels(simulated, dataset):
    truth = np.load(dataset / "train" / "labels.npy")
    rows = list(csv.DictReader((simulated / "labels.csv").open()))
    wrong, auto = 0, 0
    right = 0
    for row in rows:
        position = int(row["path"].partition("[")[2].rstrip("]"))
        is_right = row["label"] == CLASSES[truth[position]]
        auto += row["provenance"] == "auto"
        wrong += row["provenance"] == "auto" and not is_right
        right += is_right
    report = json.loads((simulated / "report.json").read_text())
    assert report["n_auto_labels"] == auto
    assert report["dataset_accuracy_true"] == pytest.approx(right / len(rows))
    if auto:
        assert report["auto_label_error_true"] == pytest.approx(wrong / auto)


def test_json_is_all_that_is_printed_and_the_run_is_not_made_twice(simulated, dataset, capsys):
    arguments = ["simulate", "--dataset", str(dataset), "--out", str(simulated), *LOOP, "--json"]
    assert exit_code(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    stored = json.loads((simulated / "report.json").read_text())
    for report in (printed, stored):
        del report["peak_memory_mb"]
    assert printed == stored


def test_another_setting_in_the_same_folder_is_refused(simulated, dataset, capsys):
    assert exit_code(["simulate", "--dataset", str(dataset), "--out", str(simulated), *LOOP, "--seed", "5"]) == 2
    assert "other settings" in capsys.readouterr().err


def test_run_labels_files_by_an_oracle(tree_project):
    project, truth = tree_project
    rows = list(csv.DictReader((project / "labels.csv").open()))
    assert {row["path"] for row in rows} == set(truth)
    people = [row for row in rows if row["provenance"] in ("human", "audit")]
    assert len(people) == 40
    assert all(row["label"] == truth[row["path"]] for row in people)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_export_writes_every_path(tree_project, tmp_path, format):
    project, truth = tree_project
    out = tmp_path / f"labels.{format}"
    assert exit_code(["export", str(project), "--format", format, "--out", str(out)]) == 0
    assert out.stat().st_size > 0
    if format == "jsonl":
        assert {json.loads(line)["path"] for line in out.read_text().splitlines()} == set(truth)


def test_export_as_a_tree_of_images(tree_project, tmp_path):
    project, truth = tree_project
    assert exit_code(["export", str(project), "--format", "imagefolder", "--out", str(tmp_path / "tree")]) == 0
    assert len(list((tmp_path / "tree").glob("*/*.png"))) == len(truth)


def test_predict_labels_new_images(tree_project, tmp_path, capsys):
    project, _ = tree_project
    new = write_tree(tmp_path / "new", 30, seed=4)
    assert exit_code(["predict", str(project), str(new)]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    right = sum(row["path"].startswith(row["label"]) for row in rows)
    assert len(rows) == 30
    assert right > 15
    assert all(0 < float(row["confidence"]) <= 1 for row in rows)


def test_status_says_where_a_project_stands(tree_project, capsys):
    project, _ = tree_project
    assert exit_code(["status", str(project)]) == 0
    assert "40 of 40 labels spent" in capsys.readouterr().out
    assert exit_code(["status", str(project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_human_labels"] == 40


@pytest.mark.parametrize(("command", "name"), [("strategies", "informative"), ("backbones", "squeezenet1_0")])
def test_lists_name_what_there_is(command, name, capsys):
    assert exit_code([command, "--json"]) == 0
    assert name in {item["name"] for item in json.loads(capsys.readouterr().out)}
    assert exit_code([command]) == 0
    assert name[:8] in capsys.readouterr().out


def test_doctor_says_what_the_machine_can_do(capsys):
    assert exit_code(["doctor", "--json"]) == 0
    found = {finding["what"] for finding in json.loads(capsys.readouterr().out)}
    assert found >= {"device", "bf16", "cores", "memory", "SQLite", "cached weights"}
    assert exit_code(["doctor"]) == 0


@pytest.mark.parametrize("command", [command.callback.__name__ for command in app.registered_commands])
def test_every_command_has_help_with_an_example(command, capsys):
    assert exit_code([command, "--help"]) == 0
    assert f"budgetal {command}" in capsys.readouterr().out.split("Example:")[1]
