"""`budgetal certify`: what it prints and how it ends."""

import dataclasses
import json

import pytest
from collections_made import write_npy

from budgetal import journal
from budgetal.annotators.oracle import Oracle
from budgetal.annotators.risk import final_risk
from budgetal.cli import exit_code
from budgetal.project import Project
from budgetal.simulate import run, true_labels


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certify")
    settings = {"budget": 150, "audit": 90, "initial": 20, "batch": 20, "tolerance": 0.3, "risk": 0.2}
    project = Project.create(folder / "project", images=str(write_npy(folder / "images", 400)), **settings)
    run(project, Oracle(true_labels(project)))
    yield project
    project.close()


def test_it_says_what_is_promised_on_what_and_that_it_agrees(finished, capsys):
    assert exit_code(["certify", str(finished.folder)]) == 0
    printed, certificate = capsys.readouterr().out, finished.state.certificate
    assert f"{certificate.n_auto:,} automatic labels, at most {certificate.upper_bound:.2%} of them wrong" in printed
    assert f"{certificate.errors} errors in {certificate.n_audit} audit labels" in printed
    assert "agrees" in printed
    assert "planned end: share 0.160000" in printed
    assert "Risk spent: 0.16 of 0.2" in printed
    assert "Guard\n  round 0: strategy" in printed
    assert all(f"  {name}: " in printed for name in finished.config.classes)


def test_json_is_all_that_is_printed(finished, capsys):
    assert exit_code(["certify", str(finished.folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agrees"] is True
    assert found["certificate"] == found["recomputed"] == dataclasses.asdict(finished.state.certificate)
    assert [look["kind"] for look in found["looks"]].count("planned end") == 1
    assert {row["class"] for row in found["certificate_by_class"]} == set(finished.config.classes)
    assert found["differences"] == []


def test_a_new_project_has_no_certificate_yet(tmp_path, capsys):
    images = write_npy(tmp_path / "images", 90)
    Project.create(tmp_path / "p", images=str(images), budget=40, audit=20, tolerance=0.2).close()
    assert exit_code(["certify", str(tmp_path / "p")]) == 0
    assert capsys.readouterr().out.startswith("No certificate yet")


def test_a_difference_ends_with_1_and_what_differs(tmp_path, capsys):
    settings = {"budget": 60, "audit": 30, "initial": 10, "batch": 20, "tolerance": 0.2, "risk": 0.2}
    project = Project.create(tmp_path / "p", images=str(write_npy(tmp_path / "images", 200)), **settings)
    run(project, Oracle(true_labels(project)))
    state = project.state
    share = final_risk(0.2, 1, has_target=False)
    other = journal.auto_labelled(len(state.rounds) - 1, state.auto.ref, (0, 0, 0), None, share / 2, final=True)
    project._logbook.append([other, journal.NewEvent("finished", {})])
    project.close()
    assert exit_code(["certify", str(tmp_path / "p")]) == 1
    printed = capsys.readouterr().out
    assert "DIFFERS" in printed
    assert f"{share / 2} recorded, {share} by the rules" in printed


@pytest.mark.parametrize("lost", ["everything", "probs"])
def test_bad_input_is_one_line_and_2(tmp_path, capsys, lost):
    folder = tmp_path / "p"
    if lost == "probs":
        settings = {"budget": 50, "audit": 30, "initial": 10, "batch": 20, "tolerance": 0.2, "risk": 0.2}
        project = Project.create(folder, images=str(write_npy(tmp_path / "images", 120)), **settings)
        run(project, Oracle(true_labels(project)))
        (folder / "cache" / "arrays" / project.state.probs_ref).unlink()
        project.close()
    assert exit_code(["certify", str(folder)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert ("in force are kept" if lost == "probs" else str(folder)) in captured.err
