"""The fold: every kind of event has its function, and a journal is read in any number of steps."""

import pytest

from budgetal.errors import ProjectError
from budgetal.state import GIVEN, HANDLERS, HumanLabel, State, fold
from budgetal.store.events import Event

CONFIG = {"images": "birds", "budget": 20, "classes": ["crow", "owl"]}
EVENTS = [
    ("created", {"config": CONFIG}),
    ("indexed", {"index": "i", "n_samples": 9, "n_quarantined": 1}),
    ("labelled", {"sample_id": "a", "label": "owl", "annotator": "given", "query": GIVEN}),
    ("asked", {"query": 1, "purpose": "audit", "round": 0, "sample_ids": ["b", "c"]}),
    ("labelled", {"sample_id": "b", "label": "crow", "annotator": "ann", "query": 1}),
    ("skipped", {"sample_id": "c", "query": 1}),
    ("asked", {"query": 2, "purpose": "initial", "round": 0, "sample_ids": ["d", "e"]}),
    ("labelled", {"sample_id": "d", "label": "owl", "annotator": "ann", "query": 2}),
    ("undone", {"sample_id": "d", "query": 2}),
]


def events():
    return [Event(seq, 10.0 * seq, kind, data, None) for seq, (kind, data) in enumerate(EVENTS, start=1)]


def folded(*parts):
    state = State()
    for part in parts:
        fold(state, part)
    return state


def test_each_event_is_applied_and_the_place_in_the_journal_kept():
    state = folded(events())
    assert (state.seq, state.at_unix_s) == (9, 90.0)
    assert state.labels == {"a": HumanLabel("owl", "given", GIVEN), "b": HumanLabel("crow", "ann", 1)}
    assert (list(state.audit), state.skipped, state.queried) == (["b", "c"], {"c"}, {"a", "d", "e"})
    assert state.open_items == {"d": 2, "e": 2}
    assert state.n_paid == 1


@pytest.mark.parametrize("n", range(len(EVENTS) + 1))
def test_a_journal_read_in_two_steps_is_the_same_state(n):
    assert folded(events()[:n], events()[n:]) == folded(events())


def test_an_audit_answer_asks_for_no_fit_and_any_other_does():
    audited, given = folded(events()[3:5]), folded(events()[6:8])
    assert not audited.has_fresh_labels
    assert given.has_fresh_labels


def test_a_kind_that_this_version_does_not_know_is_refused_and_changes_nothing():
    state = folded(events())
    with pytest.raises(ProjectError, match="Event 10 is of unknown kind 'dreamt': upgrade budgetal"):
        fold(state, [Event(10, 0.0, "dreamt", {}, None)])
    assert state == folded(events())


def test_functions_are_named_for_their_kinds():
    assert all(handler.__name__ == f"on_{kind}" for kind, handler in HANDLERS.items())
