"""Several answers for one image, as they are counted, corrected and taken back."""

import pytest

from budgetal.budget.cost import Paid
from budgetal.state import GIVEN, HumanLabel, State
from budgetal.state.votes import add_opinion, take_back_opinion


@pytest.fixture
def state():
    return State(labels={"a": HumanLabel("owl", "ann", 1)})


def say(state, *answers):
    for query_id, (annotator, label) in enumerate(answers, start=2):
        add_opinion(state, "a", HumanLabel(label, annotator, query_id))
    return state.labels["a"].label


def test_the_label_that_most_gave_counts_and_in_a_tie_the_earliest(state):
    assert say(state, ("ben", "crow")) == "owl"
    assert say(state, ("cleo", "crow")) == "crow"
    assert state.labels["a"].query_id == 1


def test_ones_own_answer_is_corrected_in_its_place_and_paid_once(state):
    say(state, ("ben", "crow"), ("ben", "owl"))
    assert [(one.annotator, one.label, one.query_id) for one in state.opinions["a"]] == [
        ("ann", "owl", 1),
        ("ben", "owl", 2),
    ]
    assert +state.paid == {Paid("owl", "ben", False): 1}


def test_a_label_that_came_with_the_image_stays_whatever_people_say(state):
    state.labels["a"] = HumanLabel("owl", "given", GIVEN)
    assert say(state, ("ben", "crow"), ("cleo", "crow")) == "owl"


def test_an_opinion_taken_back_gives_the_earlier_label_again(state):
    assert say(state, ("ben", "crow"), ("cleo", "crow")) == "crow"
    take_back_opinion(state, "a")
    assert (state.labels["a"].label, state.paid.total()) == ("owl", 1)


def test_the_last_answer_taken_back_leaves_no_label():
    state = State()
    say(state, ("ben", "crow"))
    take_back_opinion(state, "a")
    assert (state.labels, state.paid.total()) == ({}, 0)
