"""One page of a list of automatic labels: which images are on it, in what order, and whether more follow."""

import numpy as np
import pytest

from budgetal.config import make_config
from budgetal.data.pool import Pool
from budgetal.errors import DataError
from budgetal.review_list import ReviewList
from budgetal.review_pages import Pages, Wanted
from budgetal.reviews import Review
from budgetal.state import HumanLabel, State

ALL = Wanted(show="all")


@pytest.fixture
def pages():
    """Rows 4, 3, 2, 1, 0 of images a to e; owls are rows 0 and 3."""
    rows, targets = np.array([4, 3, 2, 1, 0]), np.array([0, 1, 0, 0, 1])
    found = ReviewList(7, rows, targets, np.linspace(0.5, 0.9, 5, dtype=np.float32))
    state = State(config=make_config(images="birds", budget=9, classes=("crow", "owl")))
    return Pages(found, state, Pool("abcde"))


def ids(cut):
    return "".join(item.sample_id for item in cut[0])


def test_pages_follow_one_another_and_say_when_the_list_ends(pages):
    first, last = pages.cut(ALL, 3, -1, None), pages.cut(ALL, 3, 2, None)
    assert (ids(first), first[1]) == ("edc", True)
    assert (ids(last), last[1]) == ("ba", False)


def test_the_way_back_shows_the_same_order(pages):
    assert pages.cut(ALL, 2, -1, 3) == (pages.cut(ALL, 2, 0, None)[0], True)
    assert ids(pages.cut(ALL, 9, -1, 99)) == "edcba"


def test_a_class_is_picked_out_and_an_unknown_one_refused(pages):
    found = pages.cut(Wanted(label="owl", show="all"), 9, -1, None)
    assert (ids(found), [item.position for item in found[0]]) == ("da", [1, 4])
    with pytest.raises(DataError, match="'olw'"):
        pages.cut(Wanted(label="olw"), 9, -1, None)


def test_reviewed_and_disputed_labels_are_told_apart(pages):
    pages.state.reviews.add("e", Review("crow", "ann", "crow", 0))
    for label, annotator in (("crow", "ann"), ("owl", "ben")):
        pages.state.reviews.add("c", Review(label, annotator, "crow", 0))
    shown = {show: ids(pages.cut(Wanted(show=show), 9, -1, None)) for show in ("waiting", "reviewed", "disputed")}
    assert shown == {"waiting": "dba", "reviewed": "ec", "disputed": "c"}


def test_what_people_were_asked_about_since_is_not_shown(pages):
    pages.state.labels["d"] = HumanLabel("crow", "ann", 1)
    pages.state.open_items["b"] = 2
    pages.state.audit["a"] = None
    assert ids(pages.cut(ALL, 9, -1, None)) == "ec"
