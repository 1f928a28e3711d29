"""Answers, skips and undos: what is recorded, what is refused, and what each costs."""

import pytest
from collections_made import write_npy

from budgetal.annotators.oracle import Oracle
from budgetal.errors import BudgetError, DataError, ProjectError
from budgetal.project import Project
from budgetal.simulate import run, true_labels
from budgetal.types import Annotation

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def _oracle(project):
    return Oracle(true_labels(project))


def test_a_partly_answered_query_comes_again_with_the_rest(project):
    query = project.ask()
    first, *rest = _oracle(project).annotate(query)
    project.tell([first])
    assert project.ask().sample_ids == tuple(answer.sample_id for answer in rest)


def test_answers_are_recorded_all_or_none(project):
    query = project.ask()
    good = Annotation(query.sample_ids[0], "red")
    with pytest.raises(DataError, match="did you mean 'blue'"):
        project.tell([good, Annotation(query.sample_ids[1], "bleu")])
    assert project.state.labels == {}


def test_an_answer_nobody_asked_for_is_refused(project):
    query = project.ask()
    stranger = next(s.sample_id for s in project.samples if s.sample_id not in query.sample_ids)
    with pytest.raises(ProjectError, match=f"{stranger}: it is in no query"):
        project.tell([Annotation(stranger, "red")])


def test_the_same_key_told_twice_counts_once_and_a_correction_costs_nothing(project):
    sample_id = project.ask().sample_ids[0]
    for _ in range(2):
        project.tell([Annotation(sample_id, "red", key="click-1")])
    project.tell([Annotation(sample_id, "blue", "second opinion", key="click-2")])
    assert project.state.n_paid == 1
    assert project.state.labels[sample_id].label == "blue"


def test_undo_asks_again_and_gives_the_label_back(project):
    query = project.ask()
    project.tell([Annotation(i, "red") for i in query.sample_ids])
    project.undo(query.sample_ids[3])
    assert project.state.n_paid == 9
    assert project.ask().sample_ids == (query.sample_ids[3],)


def test_undo_of_nothing_is_refused(project):
    query = project.ask()
    with pytest.raises(ProjectError, match="has no answer yet"):
        project.undo(query.sample_ids[0])


def test_a_skipped_image_costs_nothing_and_is_not_asked_again(project):
    skipped = project.ask().sample_ids[0]
    project.skip(skipped)
    asked = set()
    oracle = _oracle(project)
    while query := project.ask():
        asked |= set(query.sample_ids)
        project.tell(oracle.annotate(query))
    assert skipped not in asked
    assert project.state.n_paid == 60
    row = next(row for row in project.label_rows() if row.sample_id == skipped)
    assert row.provenance == "predicted"


def test_one_key_for_two_answers_is_refused_and_nothing_recorded(project):
    first, second = project.ask().sample_ids[:2]
    with pytest.raises(ProjectError, match="stands for another answer"):
        project.tell([Annotation(first, "red", key="mine"), Annotation(second, "red", key="mine")])
    assert project.state.labels == {}
    project.tell([Annotation(first, "red", key="created")])
    assert project.state.n_paid == 1


def test_skipping_is_no_way_around_the_budget(project):
    query = project.ask()
    for sample_id in query.sample_ids[:2]:
        project.skip(sample_id)
    run(project, _oracle(project))
    assert project.state.n_paid == 60
    with pytest.raises(BudgetError, match="0 are left"):
        project.tell([Annotation(query.sample_ids[0], "red")])
    with pytest.raises(BudgetError, match="0 are left"):
        project.undo(query.sample_ids[1])


def test_labels_that_came_with_the_images_are_corrected_not_undone(tmp_path):
    folder = write_npy(tmp_path / "images", 90)
    project = Project.create(tmp_path / "p", images=str(folder), use_given_labels=True, **SETTINGS)
    given = next(iter(project.state.labels))
    with pytest.raises(ProjectError, match="tell"):
        project.undo(given)
    project.tell([Annotation(given, "red")])
    assert project.state.n_paid == 0
