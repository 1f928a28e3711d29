"""What the map says of images, and above all what it does not say."""

import dataclasses

import numpy as np
import pytest

from budgetal.mapping import known_of, marks_of, uncertainty_of
from budgetal.mapping.marks import AUTOMATIC, BY_PEOPLE, NO_LABEL, OPEN, UNTOLD
from budgetal.simulate import true_labels
from budgetal.state import State, fold
from budgetal.store.events import Event, NewEvent
from budgetal.types import Annotation

SETTINGS = {"budget": 90, "audit": 40, "initial": 12, "batch": 10, "tolerance": 0.3, "risk": 0.3}


@pytest.fixture
def project(make):
    """Two rounds are over; some images of the third query are answered, some wait, one was skipped."""
    project = make()
    truth = true_labels(project)
    for _ in range(3):
        project.tell([Annotation(i, truth[i], "anna") for i in project.ask().sample_ids])
    query = project.ask()
    project.tell([Annotation(i, truth[i], "ben") for i in query.sample_ids[:4]])
    project.skip(query.sample_ids[4])
    return project


def marks(project, state=None, annotator=None):
    """As a reviewer sees them; annotator: as this one does."""
    state = state or project.state
    arrays, pool = project.workspace.arrays, project.learner.pool
    automatic, uncertainty = None, None
    if annotator is None and state.auto is not None:
        automatic = tuple(arrays.get(state.auto.ref))
        uncertainty = uncertainty_of(arrays.get(state.probs_ref))
    return marks_of(pool, project.config.classes, known_of(state, annotator), automatic, uncertainty)


def rows_of(project, ids):
    return project.learner.pool.rows(ids)


def test_answers_are_labels_by_people(project):
    found, classes = marks(project), project.config.classes
    for sample_id, label in project.state.labels.items():
        (row,) = rows_of(project, [sample_id])
        assert (classes[found.labels[row]], found.provenance[row]) == (label.label, BY_PEOPLE)
    assert (found.provenance == BY_PEOPLE).sum() == len(project.state.labels)


def test_what_waits_for_people_or_was_skipped_shows_nothing_of_the_model(project):
    found, state = marks(project), project.state
    rows = rows_of(project, [*state.open_items, *state.skipped])
    assert len(rows) == 6
    assert (found.labels[rows] == NO_LABEL).all()
    assert (found.provenance[rows] == OPEN).all()
    assert (found.uncertainty[rows] == UNTOLD).all()


def test_an_answered_image_shows_no_uncertainty_and_all_others_do(project):
    found = marks(project)
    asked = rows_of(project, {i for query in project.state.queries.values() for i in query.sample_ids})
    told = np.ones(len(found.labels), bool)
    told[asked] = False
    assert (found.uncertainty != UNTOLD).tolist() == told.tolist()
    assert (found.provenance == AUTOMATIC).any()


def test_automatic_labels_are_told_once_a_review_began(project):
    """Before that an audit may grow, and whoever answers it would have seen them here."""
    assert project.state.auto.n > 0
    assert known_of(project.state, None).auto_ref is None
    project.logbook.append([NewEvent("labels_shown", {"annotator": "rita"})])
    assert known_of(project.state, None).auto_ref == project.state.auto.ref


def test_after_a_stop_unanswered_images_still_show_nothing_of_the_model(project):
    waiting = rows_of(project, list(project.state.open_items))
    project.stop()
    assert (marks(project).uncertainty[waiting] == UNTOLD).all()


def test_which_images_are_in_the_audit_changes_nothing(project):
    """The same journal with audit and first query under each other's names gives the same marks at every event."""
    events = project.logbook.events()
    swapped = [swap(event) for event in events]
    last = next(event.seq for event in events if event.kind == "fitted")
    for seq in range(2, last):
        as_it_is, otherwise = folded(events, seq), folded(swapped, seq)
        assert as_it_is.audit.keys() != otherwise.audit.keys() or not as_it_is.audit
        assert packed(project, as_it_is) == packed(project, otherwise)
    one, other = folded(events, len(events)), folded(swapped, len(events))
    assert one.audit.keys() != other.audit.keys()
    assert packed(project, one) == packed(project, other)


def swap(event):
    names = {"audit": "initial", "initial": "audit"}
    if event.kind != "asked" or event.data["purpose"] not in names:
        return event
    return dataclasses.replace(event, data={**event.data, "purpose": names[event.data["purpose"]]})


def folded(events: list[Event], seq: int) -> State:
    state = State()
    fold(state, (event for event in events if event.seq <= seq))
    return state


def packed(project, state):
    return marks(project, state, None).packed(np.arange(len(project.learner.pool)))


def test_who_annotates_sees_the_own_answers_only(project):
    mine, all_labels = marks(project, annotator="ben"), marks(project)
    given = rows_of(project, [i for i, label in project.state.labels.items() if label.annotator == "ben"])
    assert len(given) == 4
    assert np.flatnonzero(mine.provenance).tolist() == sorted(given.tolist())
    assert (mine.labels[given] == all_labels.labels[given]).all()
    assert (mine.uncertainty == UNTOLD).all()


def test_an_image_that_waits_for_another_opinion_does_not_show_the_first(make):
    project = make(opinions_per_image=2)
    truth = true_labels(project)
    project.tell([Annotation(i, truth[i], "anna") for i in project.ask().sample_ids])
    query = project.ask()
    while query.purpose != "opinion":
        project.tell([Annotation(i, truth[i], "anna") for i in query.sample_ids])
        query = project.ask()
    waiting = rows_of(project, list(project.state.open_items))
    assert len(waiting)
    assert (marks(project).labels[waiting] == NO_LABEL).all()


def test_uncertainty_is_the_margin_in_steps():
    probs = np.array([[1, 0, 0], [0.5, 0.5, 0], [0.6, 0.35, 0.05]], np.float32)
    assert uncertainty_of(probs).tolist() == [0, 254, round(254 * 0.75)]


def test_marks_are_packed_column_after_column(project):
    found, rows = marks(project), np.array([5, 2])
    raw = found.packed(rows)
    assert len(raw) == 8
    assert np.frombuffer(raw[:4], "<u2").tolist() == found.labels[rows].tolist()
    assert list(raw[4:6]) == found.provenance[rows].tolist()
    assert list(raw[6:]) == found.uncertainty[rows].tolist()
