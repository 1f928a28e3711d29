"""What can be taken home of a run that goes on says nothing of the model about images that wait for an answer."""

import csv

import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.illustrated import Illustrator
from budgetal.simulate import run, true_labels

SETTINGS = {"budget": 60, "audit": 12, "initial": 10, "batch": 10, "tolerance": 0.3, "risk": 0.3}


@pytest.fixture
def growing(make):
    """A model has judged every image, and twelve more are asked for the audit, one of them skipped."""
    project = make()
    oracle = Oracle(true_labels(project))
    while not project.state.rounds:
        project.tell(oracle.annotate(project.ask()))
    query = project.ask()
    project.tell(oracle.annotate(query))
    project.configure(audit=24)
    query = project.ask()
    assert query.purpose == "audit"
    project.skip(query.sample_ids[0])
    return project, query


def rows_of(project):
    return {row.sample_id: row for row in project.label_rows()}


def test_no_row_tells_the_models_guess_for_an_image_without_an_answer(growing):
    project, query = growing
    found = rows_of(project)
    assert found.keys() & set(query.sample_ids) == set()
    assert len(found) == project.state.n_samples - len(query.sample_ids)
    assert any(row.confidence is not None for row in found.values())


def test_the_files_of_a_run_that_goes_on_leave_them_out_and_those_of_its_end_have_them(growing):
    project, query = growing
    project.write_outputs()
    assert ids_in(project.folder / "labels.csv") & set(query.sample_ids) == set()
    run(project, Oracle(true_labels(project)))
    project.write_outputs()
    assert ids_in(project.folder / "labels.csv") == {sample.sample_id for sample in project.samples}


def ids_in(path):
    with path.open() as source:
        return {row["sample_id"] for row in csv.DictReader(source)}


def test_the_report_shows_no_picture_of_an_open_audit_image(growing):
    project, query = growing
    page = Illustrator(project.state, project.samples, project.quarantined, project.learner)
    asked = list(page._asked())
    heading, pictures = asked[-1]
    assert heading == f"Audit, drawn at random: {len(query.sample_ids)} images"
    assert pictures == ()
    assert all(len(shown) > 0 for _, shown in asked[:-1])
