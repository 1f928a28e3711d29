"""Settings that are changed under way or after the end: what goes on, and whether the next end counts as chosen."""

import pytest

from budgetal import rounds
from budgetal.annotators.oracle import Oracle
from budgetal.annotators.risk import FIRST_FINAL
from budgetal.config import make_config
from budgetal.errors import ProjectError
from budgetal.recertify import recertify
from budgetal.rounds import SPENT, TARGET, ended_as_planned
from budgetal.simulate import run, true_labels
from budgetal.state import RoundRecord, State, fold
from budgetal.steering import Steering
from budgetal.store.events import Event

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}
BY_HAND = "stopped by hand"


def ended(reason, *, replanned=False, finished=True):
    config = make_config(images="x", classes=("crow", "owl"), budget=50)
    return State(config=config, rounds=[None], stop_reason=reason, replanned=replanned, finished=finished)


def replans(state, **changes):
    return rounds.replans(state, changes)


def test_any_change_under_way_may_be_a_way_to_stop():
    assert replans(ended(None, finished=False), batch=5)
    assert replans(ended(BY_HAND, finished=False))


def test_after_a_planned_end_whatever_is_changed_is_a_new_plan():
    assert not replans(ended(SPENT), budget=80)
    assert not replans(ended(SPENT), plateau_rounds=2)


def test_after_a_chosen_end_no_change_is_a_new_plan():
    assert replans(ended(BY_HAND), budget=51)
    assert replans(ended(SPENT, replanned=True), budget=51)
    assert replans(ended(TARGET), budget=51)
    assert replans(ended(BY_HAND), budget=40)
    assert replans(ended(BY_HAND), budget_money=40.0)
    assert replans(ended(BY_HAND), plateau_rounds=2)

    assert replans(ended(BY_HAND), strategy="margin")


def test_to_go_on_without_a_change_leaves_the_plan_as_it_was():
    assert not replans(ended(BY_HAND))
    assert replans(ended(SPENT, replanned=True))


def test_journals_that_do_not_say_fold_as_they_did():
    def folded(state, **data):
        fold(state, [Event(1, 0.0, "configured", {"changes": {"cost_per_compute_hour": 2.0}, **data}, None)])
        return state.stop_reason, state.finished, state.replanned

    assert folded(ended(SPENT)) == (None, False, False)
    assert folded(ended(SPENT, finished=False)) == (None, False, True)
    assert folded(ended(SPENT), reopens=False, replans=False) == (SPENT, True, False)


def test_more_reviews_may_be_given_without_another_look(make):
    project = make()
    run(project, Oracle(true_labels(project)))
    state, before = project.state, (project.state.auto, project.state.certificate, project.state.risk_spent)
    project.configure(review_budget=1000)
    assert project.ask() is None
    assert (state.auto, state.certificate, state.risk_spent) == before
    assert state.ledger.review_budget == 1000


@pytest.mark.parametrize(("first", "then"), [(100, 60), (100, 61), (62, 63)])
def test_a_run_that_was_stopped_on_a_good_look_gets_no_planned_end_by_another_budget(make, first, then):
    """Else one could stop on a look, add a label, stop again, and have the planned look where it does most."""
    project = make(budget=first)
    truth = Oracle(true_labels(project))
    while project.state.n_paid < 60:
        project.tell(truth.annotate(project.ask()))
    project.ask()
    project.stop()
    project.ask()
    project.configure(budget=then)
    run(project, truth)
    assert not ended_as_planned(project.state)
    found = recertify(project.folder)
    assert found.looks[-1].kind == "chosen end"
    assert project.state.risk_spent < project.config.risk * (1 - FIRST_FINAL)


def test_what_would_end_again_at_once_does_not_go_on(make):
    project = make(plateau_rounds=2)
    record = RoundRecord(0, 40, 0, 0.2, 0.1, None, None, None, 40.0, 1.0, agreement=1.0)
    project.state.rounds += [record, record]
    project.stop("predictions no longer change")
    with pytest.raises(ProjectError, match="end again at once"):
        Steering(project).resume("olga")
    project.configure(plateau_rounds=3)
    assert project.state.stop_reason is None
