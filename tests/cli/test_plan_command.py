"""`budgetal plan`: what it prints, that it steers nothing, and what a project says before there is enough."""

import json

import pytest
from collections_made import CLASSES, write_npy

from budgetal.annotators.oracle import Oracle
from budgetal.cli import exit_code
from budgetal.project import Project
from budgetal.simulate import run, true_labels

SETTINGS = {"budget": 70, "audit": 30, "initial": 8, "batch": 8, "tolerance": 0.2, "risk": 0.2}
PRICES = {"cost_per_label": 0.5, "cost_factor_by_class": {"red": 3.0}, "cost_per_compute_hour": 2.0}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 150)


@pytest.fixture(scope="module")
def ended(images, tmp_path_factory):
    """A finished project with prices, its folder and its report."""
    folder = tmp_path_factory.mktemp("projects") / "ended"
    project = Project.create(folder, images=str(images), **SETTINGS, **PRICES, cost_per_wrong_label=1.5)
    run(project, Oracle(true_labels(project), CLASSES))
    report = project.write_outputs()
    project.close()
    return folder, report


def _planned(capsys, *arguments):
    assert exit_code(["plan", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_it_says_what_labels_buy_what_a_target_takes_and_whether_to_stop(ended, capsys):
    assert exit_code(["plan", str(ended[0]), "--coverage", "0.95", "--accuracy", "0.9"]) == 0
    out = capsys.readouterr().out
    for said in ("Spent: 70 labels", "labels more for", "Coverage of 95.0 %:", "Accuracy of 90.0 %:"):
        assert said in out
    for said in ("Cheapest way to label every image", "The next 8 labels cost", "chosen the end"):
        assert said in out


def test_the_numbers_are_those_of_the_report_and_the_same_each_time(ended, capsys):
    folder, report = ended
    first, again = _planned(capsys, folder), _planned(capsys, folder)
    assert first == again == json.loads(json.dumps(report["forecast"]))


def test_money_is_what_the_labels_in_the_journal_cost(ended, capsys):
    folder, report = ended
    spent = _planned(capsys, folder)["spent"]
    project = Project.open(folder)
    n_red = sum(label.label == "red" for label in project.state.labels.values())
    project.close()
    assert spent["money"] == 0.5 * (70 + 2 * n_red) == report["rounds"][-1]["spent"]
    assert spent["compute_money"] == pytest.approx(2.0 * spent["compute_hours"])


def test_bands_are_ordered_and_purchases_grow(ended, capsys):
    planned = _planned(capsys, ended[0])
    assert [row["n_labels"] for row in planned["next"]] == [80, 80, 80]
    bands = [row[name] for row in planned["next"] for name in ("accuracy", "coverage")]
    bands += [point[name] for point in planned["curves"] for name in ("accuracy", "coverage")]
    assert all(0 <= band["low"] <= band["middle"] <= band["high"] <= 1 for band in bands)
    assert planned["next"][0]["coverage"]["low"] == 1.0


def test_asking_for_a_plan_writes_nothing_to_the_journal(ended, capsys):
    project = Project.open(ended[0])
    before = project.state.seq
    project.close()
    _planned(capsys, ended[0], "--coverage", "0.9")
    project = Project.open(ended[0])
    assert project.state.seq == before
    project.close()


def test_before_three_rounds_it_says_so_and_what_was_spent(images, tmp_path, capsys):
    project = Project.create(tmp_path / "project", images=str(images), **SETTINGS)
    oracle = Oracle(true_labels(project), CLASSES)
    project.tell(oracle.annotate(project.ask()))
    project.close()
    planned = _planned(capsys, tmp_path / "project")
    assert planned["spent"]["n_labels"] == 8
    assert "answers of an audit drawn at random, and there are none" in planned["reason"]
    assert exit_code(["plan", str(tmp_path / "project")]) == 0
    assert "Spent: 8 labels" in capsys.readouterr().out


def test_a_project_under_way_is_planned_and_goes_on_as_if_nobody_had_asked(images, tmp_path, capsys):
    curves = []
    for name in ("asked", "left alone"):
        project = Project.create(tmp_path / name, images=str(images), **SETTINGS)
        oracle = Oracle(true_labels(project), CLASSES)
        while query := project.ask():
            project.tell(oracle.annotate(query))
            if name == "asked" and len(project.state.rounds) >= 3:
                assert project.forecast(coverage=0.9)["reason"] is None
        curves.append([(query.sample_ids, query.purpose) for query in project.state.queries.values()])
        project.close()
    assert curves[0] == curves[1]


def test_lost_probabilities_cost_width_and_not_the_forecast(ended, tmp_path, capsys):
    folder, report = ended
    project = Project.open(folder)
    ref = project.state.probs_refs[0]
    (folder / "cache" / "arrays" / ref).rename(tmp_path / ref)
    found = project.forecast()
    project.close()
    (tmp_path / ref).rename(folder / "cache" / "arrays" / ref)
    assert found["reason"] is None
    assert found["next"] != report["forecast"]["next"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--coverage", "1.5"], "Target coverage cannot be 1.5"),
        (["--coverage", "0"], "Target coverage cannot be 0"),
        (["--accuracy", "nan"], "Target accuracy cannot be nan"),
        (["--accuracy", "high"], "'--accuracy'"),
    ],
)
def test_targets_that_cannot_be(ended, capsys, options, message):
    assert exit_code(["plan", str(ended[0]), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_a_folder_without_a_project(tmp_path, capsys):
    assert exit_code(["plan", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_init_takes_tables_of_prices(images, tmp_path):
    prices = ["--cost-per-label-by-annotator", "expert=5, student=0.5", "--cost-factor-by-class", "red=2"]
    folder = tmp_path / "project"
    assert exit_code(["init", str(folder), "--images", str(images), "--budget", "60", *prices]) == 0
    project = Project.open(folder)
    assert project.config.cost_per_label_by_annotator == {"expert": 5.0, "student": 0.5}
    assert project.config.cost_factor_by_class == {"red": 2.0}
    project.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cost-per-label-by-annotator", "expert"], "Cannot read 'expert' in --cost-per-label-by-annotator"),
        (["--cost-per-label-by-annotator", "=3"], "Cannot read '=3'"),
        (["--cost-factor-by-class", "rod=2"], "did you mean 'red'"),
        (["--cost-per-wrong-label", "-1"], "'cost_per_wrong_label' cannot be -1"),
        (["--cost-per-compute-hour", "inf"], "'cost_per_compute_hour' cannot be inf"),
    ],
)
def test_prices_that_cannot_be(images, tmp_path, capsys, options, message):
    command = ["init", str(tmp_path / "project"), "--images", str(images), "--budget", "60", *options]
    assert exit_code(command) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_the_report_has_the_forecast_as_charts_and_lines(ended):
    page = (ended[0] / "report.html").read_text()
    assert 'id="outlook"' in page
    for said in ("Accuracy to come", "Coverage to come", "Cheapest way to label every image", "chosen the end"):
        assert said in page


def test_labels_that_wait_for_the_next_round_are_not_bought_again(images, tmp_path, capsys):
    """In the middle of a query the counts go on from the journal's labels, not from those of the last round."""
    project = Project.create(tmp_path / "midway", images=str(images), **SETTINGS)
    oracle = Oracle(true_labels(project), CLASSES)
    while len(project.state.rounds) < 3:
        project.tell(oracle.annotate(project.ask()))
    query = project.ask()
    project.tell(oracle.annotate(query)[:5])
    n_labelled, last_round = len(project.state.labels), project.state.rounds[-1].n_human
    project.close()
    planned = _planned(capsys, tmp_path / "midway")
    assert n_labelled == last_round + 5
    assert [row["n_labels"] for row in planned["next"]] == [150 - n_labelled] * 3
    assert planned["curves"][-1]["n_human"] == 150
    assert planned["cheapest"]["n_human"] >= n_labelled + planned["cheapest"]["n_more"]
