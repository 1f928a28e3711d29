"""Images that are none of the classes: an answer like a label, that no class is trained from."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest
from collections_made import CLASSES, easy_images, write_npy
from PIL import Image
from typer.testing import CliRunner

from budgetal.annotators.oracle import Oracle
from budgetal.annotators.outliers import Outliers
from budgetal.cli import app
from budgetal.engine.saved import load_model
from budgetal.errors import ConfigError, DataError, StorageError
from budgetal.project import Project
from budgetal.recertify import recertify
from budgetal.ruling_out import apart, outliers_of
from budgetal.simulate import run, simulate, true_labels
from budgetal.state import State, fold
from budgetal.types import NONE_OF_THESE, Annotation

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def write_mixed(folder, n, n_strange, seed=0):
    """`n` easy images of three classes, then `n_strange` checkerboards that are none of them."""
    images, labels = easy_images(n, seed)
    rng = np.random.default_rng(seed + 1)
    strange = rng.integers(0, 60, (n_strange, 16, 16, 3))
    strange[:, ::2, ::2] = 255
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", np.concatenate([images, strange.astype(np.uint8)]))
    np.save(folder / "labels.npy", np.array(labels + [NONE_OF_THESE] * n_strange))
    return folder


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    return write_mixed(tmp_path_factory.mktemp("mixed"), 120, 30)


@pytest.fixture(scope="module")
def finished(mixed, tmp_path_factory):
    """A whole run on it, and its report."""
    project = Project.create(tmp_path_factory.mktemp("runs") / "finished", images=str(mixed), **SETTINGS)
    run(project, Oracle(true_labels(project)))
    yield project, project.write_outputs(true_labels(project))
    project.close()


@pytest.fixture
def project(mixed, tmp_path):
    project = Project.create(tmp_path / "project", images=str(mixed), **SETTINGS)
    yield project
    project.close()


def _answers(query, label):
    return [Annotation(sample_id, label) for sample_id in query.sample_ids]


def test_the_word_becomes_no_class_and_is_an_answer_that_is_paid_for(project):
    assert project.config.classes == CLASSES
    query = project.ask()
    project.tell([Annotation(query.sample_ids[0], NONE_OF_THESE)])
    assert project.state.labels[query.sample_ids[0]].label == NONE_OF_THESE
    assert project.state.n_paid == 1


def test_it_can_be_corrected_and_undone_like_any_answer(project):
    sample_id = project.ask().sample_ids[0]
    project.tell([Annotation(sample_id, NONE_OF_THESE)])
    project.tell([Annotation(sample_id, "red")])
    assert (project.state.labels[sample_id].label, project.state.n_paid) == ("red", 1)
    project.tell([Annotation(sample_id, NONE_OF_THESE)])
    project.undo(sample_id)
    assert sample_id not in project.state.labels
    assert sample_id in project.ask().sample_ids


def test_a_misspelt_word_is_refused_with_a_suggestion(project):
    sample_id = project.ask().sample_ids[0]
    with pytest.raises(DataError, match=f"did you mean '{NONE_OF_THESE}'"):
        project.tell([Annotation(sample_id, "none of thse")])


def test_no_class_may_be_called_so(mixed, tmp_path):
    with pytest.raises(ConfigError, match="No class can be called 'none of these'"):
        Project.create(tmp_path / "p", images=str(mixed), classes=("red", NONE_OF_THESE), **SETTINGS)


def test_labels_outside_the_classes_given_are_refused_as_before(mixed, tmp_path):
    with pytest.raises(DataError, match="Unknown label 'green'"):
        Project.create(tmp_path / "p", images=str(mixed), classes=("red", "blue"), **SETTINGS)


def test_it_trains_no_class_and_counts_as_wrong_under_any_automatic_label(finished):
    project, _ = finished
    state, learner = project.state, project.learner
    outliers = {i for i, given in state.labels.items() if given.label == NONE_OF_THESE}
    assert outliers & set(state.audit)
    assert outliers - set(state.audit)
    trained = learner.training_set(state)
    people = set(learner.pool.ids(trained.rows[: trained.n_human]))
    assert not people & outliers
    assert trained.targets.min() >= 0


def test_a_run_with_outliers_ends_and_its_certificate_comes_out_again(finished):
    project, summary = finished
    rows = {row.sample_id: row for row in project.label_rows()}
    known = [rows[i] for i, given in project.state.labels.items() if given.label == NONE_OF_THESE]
    assert {row.label for row in known} == {NONE_OF_THESE}
    assert {row.provenance for row in known} <= {"human", "audit"}
    assert 0 < summary["dataset_accuracy_true"] <= 1
    assert summary["auto_label_error_true"] <= summary["certificate"]["upper_bound"]
    assert recertify(project.folder).agrees


def test_the_fold_gives_the_same_state(finished):
    project, _ = finished
    rebuilt = State()
    fold(rebuilt, project._logbook.events())
    assert rebuilt == project.state


def test_a_first_query_of_outliers_alone_fits_nothing_and_people_are_asked_again(project):
    project.tell(_answers(project.ask(), NONE_OF_THESE))
    project.tell(_answers(project.ask(), "red"))
    query = project.ask()
    assert (project.state.model, query.purpose) == (None, "round")
    project.tell(Oracle(true_labels(project)).annotate(query))
    run(project, Oracle(true_labels(project)))
    assert project.state.rounds
    assert project.state.stop_reason == "budget spent"


def test_a_collection_of_outliers_alone_ends_without_a_model_or_an_automatic_label(project):
    while query := project.ask():
        project.tell(_answers(query, NONE_OF_THESE))
    summary = project.write_outputs()
    assert (project.state.model, summary["n_auto_labels"], summary["certificate"]) == (None, 0, None)
    assert {row.label for row in project.label_rows()} == {NONE_OF_THESE}


def test_an_audit_of_outliers_alone_certifies_nothing(project):
    truth = true_labels(project)
    while query := project.ask():
        project.tell(_answers(query, NONE_OF_THESE) if query.purpose == "audit" else Oracle(truth).annotate(query))
    summary = project.write_outputs()
    assert summary["certificate"] is None
    assert summary["rounds"][-1]["audit_accuracy"] is None
    assert summary["forecast"]["reason"]


def test_half_a_collection_of_outliers_keeps_the_promise(tmp_path):
    images = write_mixed(tmp_path / "half", 120, 120)
    summary = simulate(str(images), tmp_path / "run", **SETTINGS)
    error = summary["auto_label_error_true"]
    assert error is None or error <= summary["certificate"]["upper_bound"]


def test_one_class_among_the_labels_is_no_crash(project):
    truth = true_labels(project)
    while query := project.ask():
        project.tell(Annotation(i, "red" if truth[i] == "red" else NONE_OF_THESE) for i in query.sample_ids)
    assert project.state.rounds


def test_more_classes_than_labels(tmp_path):
    images, _ = easy_images(60)
    folder = tmp_path / "many"
    folder.mkdir()
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", np.array([f"class {i % 30}" for i in range(60)]))
    summary = simulate(str(folder), tmp_path / "run", budget=12, audit=4, initial=4, batch=4)
    assert summary["n_human_labels"] == 12
    assert len(summary["classes"]) == 30


def test_answers_of_the_audit_reach_neither_training_nor_queries_when_they_say_none_of_these(mixed, tmp_path):
    asked, weights = [], []
    for name in ("honest", "lying"):
        project = Project.create(tmp_path / name, images=str(mixed), **SETTINGS)
        truth = true_labels(project)
        while query := project.ask():
            lies = name == "lying" and query.purpose == "audit"
            project.tell(_answers(query, NONE_OF_THESE) if lies else Oracle(truth).annotate(query))
        asked.append([query.sample_ids for query in project.state.queries.values()])
        weights.append((project.state.model.weights_ref, project.state.proposals_ref))
        project.close()
    assert asked[0] == asked[1]
    assert weights[0] == weights[1]


def test_test_images_of_no_class_are_left_out_of_the_test_accuracy(mixed, tmp_path):
    test = write_mixed(tmp_path / "test", 30, 30, seed=5)
    project = Project.create(tmp_path / "p", images=str(mixed), test_images=str(test), **SETTINGS)
    run(project, Oracle(true_labels(project)))
    assert project.state.rounds[-1].test_accuracy > 0.6


def test_a_label_file_may_say_so(mixed, tmp_path):
    runner = CliRunner()
    settings = ["--budget", "60", "--audit", "30", "--initial", "30", "--tolerance", "0.2", "--risk", "0.2"]
    made = runner.invoke(app, ["init", str(tmp_path / "p"), "--images", str(mixed), *settings])
    assert made.exit_code == 0, made.output
    project = Project.open(tmp_path / "p")
    lines = [f"{sample.sample_id},{sample.label}" for sample in project.samples]
    project.close()
    (tmp_path / "labels.csv").write_text("\n".join(["sample_id,label", *lines]) + "\n")
    ran = runner.invoke(app, ["run", str(tmp_path / "p"), "--oracle", str(tmp_path / "labels.csv"), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["n_human_labels"] == 60


def test_what_resembles_outliers_is_never_labelled_automatically(finished):
    project, _ = finished
    found = outliers_of(project.state, project.workspace.arrays)
    rows, _targets = project.learner.auto_labels(project.state)
    assert found.possible.any()
    assert not found.possible[rows].any()
    truth = true_labels(project)
    strange = np.array([truth[sample.sample_id] == NONE_OF_THESE for sample in project.samples])
    assert found.possible[strange].mean() > 0.8
    assert found.possible[~strange].mean() < 0.1


def test_they_are_shown_with_their_score(finished):
    project, report = finished
    found = outliers_of(project.state, project.workspace.arrays)
    rows = project.label_rows()
    shown = [row for row in rows if row.provenance == "possible outlier"]
    assert len(shown) == report["outliers"]["n_possible"] > 0
    assert min(row.outlier_score for row in shown) >= round(found.threshold, 6)
    assert all(row.label in CLASSES for row in shown)
    assert report["outliers"]["n_known"] == sum(row.label == NONE_OF_THESE for row in rows)
    assert "None of the classes" in (project.folder / "report.html").read_text()
    assert "possible outlier" in (project.folder / "labels.csv").read_text()


def test_no_class_is_learnt_from_possible_outliers(finished):
    project, _ = finished
    found = outliers_of(project.state, project.workspace.arrays)
    trained = project.learner.training_set(project.state)
    assert len(trained.rows) > trained.n_human
    assert not found.possible[trained.rows[trained.n_human :]].any()


def test_a_setting_switches_it_off(mixed, tmp_path):
    project = Project.create(tmp_path / "p", images=str(mixed), outliers="off", **SETTINGS)
    run(project, Oracle(true_labels(project)))
    assert (project.state.outliers, project.state.proposals_ref) == (None, None)
    project.close()


def test_clean_collections_are_labelled_as_if_nobody_looked_for_outliers(tmp_path):
    images, labelled = write_npy(tmp_path / "clean", 120), []
    for outliers in ("auto", "off"):
        project = Project.create(tmp_path / outliers, images=str(images), outliers=outliers, **SETTINGS)
        run(project, Oracle(true_labels(project)))
        assert project.state.proposals_ref is None
        labelled.append(project.label_rows())
        project.close()
    assert labelled[0] == labelled[1]


def test_journals_from_before_open_and_fold_to_a_state_without_outliers(finished):
    older = State()
    for event in finished[0]._logbook.events():
        data = {name: value for name, value in event.data.items() if name != "outliers"}
        fold(older, [dataclasses.replace(event, data=data)])
    assert older.outliers is None
    assert dataclasses.replace(older, outliers=finished[0].state.outliers) == finished[0].state


def test_possible_outliers_take_a_tenth_of_a_query_and_the_strategy_picks_the_rest(mixed, tmp_path):
    project = Project.create(tmp_path / "p", images=str(mixed), **{**SETTINGS, "initial": 20})
    oracle = Oracle(true_labels(project))
    for _ in range(2):
        project.tell(oracle.annotate(project.ask()))
    query = project.ask()
    found = outliers_of(project.state, project.workspace.arrays)
    asked = project.learner.pool.rows(query.sample_ids)
    assert found.possible[asked].sum() == 1
    assert len(asked) == 10
    project.close()


def test_where_all_that_is_left_may_be_outliers_the_strategy_picks_among_them():
    rows = np.arange(10)
    outliers = Outliers(np.linspace(0, 1, 10, dtype=np.float32), 0.25)
    classes, strange = apart(rows, outliers, fewest=3)
    assert (classes.tolist(), strange.tolist()) == ([0, 1, 2], [3, 4, 5, 6, 7, 8, 9])
    assert [len(part) for part in apart(rows, outliers, fewest=4)] == [10, 0]
    assert [len(part) for part in apart(rows, None)] == [10, 0]


def test_the_saved_model_rules_out_what_the_project_did(finished, mixed):
    project, _ = finished
    found = outliers_of(project.state, project.workspace.arrays)
    model = load_model(project.folder / "model")
    judged = list(model.judge(project.workspace.collection.pixels))
    scores = np.array([one.outlier_score for one in judged])
    assert np.abs(scores - found.scores).max() < 1e-3
    sure = np.abs(found.scores - found.threshold) > 1e-3
    assert np.array_equal(np.array([one.possible_outlier for one in judged])[sure], found.possible[sure])
    assert [(one.label, one.confidence) for one in judged] == list(model.label(project.workspace.collection.pixels))


def test_predict_says_which_new_images_may_be_outliers(finished, tmp_path):
    new = write_mixed(tmp_path / "new", 20, 10, seed=9)
    said = CliRunner().invoke(app, ["predict", str(finished[0].folder), str(new)])
    rows = list(csv.DictReader(said.stdout.splitlines()))
    strange = [row["provenance"] == "possible outlier" for row in rows]
    labels = dict(zip(range(30), np.load(new / "labels.npy"), strict=True))
    of_no_class = [labels[int(row["path"].rpartition("[")[2].rstrip("]"))] == NONE_OF_THESE for row in rows]
    assert sum(strange) >= 8
    assert sum(a and not b for a, b in zip(strange, of_no_class, strict=True)) <= 2
    assert all(0 <= float(row["outlier_score"]) <= 1 for row in rows)
    assert f"{sum(strange)} of 30 images may be none of the classes" in said.stderr


def test_a_stream_does_not_offer_what_may_be_an_outlier(finished, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    write_mixed(tmp_path / "new", 20, 10, seed=9)
    for place, pixels in enumerate(np.load(tmp_path / "new" / "images.npy")):
        Image.fromarray(pixels).save(source / f"{place:02}.png")
    out = tmp_path / "out"
    arguments = [str(finished[0].folder), str(source), "--rate", "0.5", "--chunk", "12", "--out", str(out)]
    said = CliRunner().invoke(app, ["stream", *arguments, "--json"])
    summary = json.loads(said.stdout)
    strange = [row["path"] for row in csv.DictReader((out / "outliers.csv").open())]
    offered = [row["path"] for row in csv.DictReader((out / "decisions.csv").open())]
    assert summary["n_outliers"] == len(strange) >= 8
    assert len([path for path in strange if path >= "20"]) >= 8
    assert sorted(strange + offered) == sorted(path.name for path in source.iterdir())
    assert summary["n_seen"] == len(offered)
    again = json.loads(CliRunner().invoke(app, ["stream", *arguments, "--json"]).stdout)
    assert (again["n_outliers"], again["n_seen_now"], again["n_late"]) == (len(strange), 0, 0)
    assert "possible outliers, not offered" in CliRunner().invoke(app, ["stream", *arguments]).stdout


def test_a_damaged_outlier_file_is_refused_and_a_model_from_before_has_none(finished, tmp_path):
    folder = shutil.copytree(finished[0].folder / "model", tmp_path / "model")
    (folder / "outliers.safetensors").write_bytes(b"no tensors")
    with pytest.raises(StorageError, match=r"outliers\.safetensors is damaged"):
        load_model(folder)
    card = json.loads((folder / "model.json").read_text())
    del card["outliers"]
    (folder / "model.json").write_text(json.dumps(card))
    assert load_model(folder).outliers is None
