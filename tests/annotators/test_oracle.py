import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.errors import DataError
from budgetal.types import Query

IDS = tuple(f"{i:032x}" for i in range(0, 10**36, 10**33))[:1000]
QUERY = Query(1, "round", 0, IDS)


def test_an_oracle_repeats_its_answers_and_errs_as_often_as_told():
    oracle = Oracle(dict.fromkeys(IDS, "a"), ("a", "b", "c"), noise=0.2, seed=7)
    answers = oracle.annotate(QUERY)
    assert answers == oracle.annotate(QUERY)
    wrong = sum(answer.label != "a" for answer in answers)
    assert 150 < wrong < 250
    # A key would make the answer to an image that is asked again, after an undo, look like a repeated delivery.
    assert {answer.key for answer in answers} == {None}


def test_an_image_without_a_label_is_named():
    with pytest.raises(DataError, match=IDS[3]):
        Oracle(dict.fromkeys(IDS[:3], "a")).annotate(QUERY)
