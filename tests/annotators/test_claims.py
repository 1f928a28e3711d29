"""Who gets which image: worked by hand, and any history of claims against the rule that no two hold one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgetal.annotators.claims import check_holder, given_up, hand_out, hands_of, take
from budgetal.errors import LeaseError
from budgetal.store import Instant
from budgetal.store.leases import DONE

IMAGES = ["a", "b", "c", "d", "e", "f"]


def at(seconds: float, clock: str = "test") -> Instant:
    return Instant(clock, seconds)


def claim(held, owner, n, now, names=IMAGES):
    chosen = hand_out(names, hands(held, owner, now), n)
    held.update({name: take(held.get(name), name, owner, now, duration_s=10) for name in chosen})
    return chosen


def hands(held, owner, now):
    """As the store answers (tests/store/store_contract.py), row by row."""
    unfinished = {name for name, lease in held.items() if lease.owner == owner and lease.note != DONE}
    return hands_of({i: held[i].owner for i in held if held[i].is_live(now) or i in unfinished}, owner)


def test_images_go_out_in_order_half_of_the_free_ones_at_a_time():
    held = {}
    assert claim(held, "anna", 2, at(0)) == ["a", "b"]
    assert claim(held, "ben", 5, at(0)) == ["c", "d"]
    assert claim(held, "cleo", 5, at(0)) == ["e"]
    assert claim(held, "dora", 5, at(0)) == ["f"]
    assert claim(held, "emil", 5, at(0)) == []


def test_a_claim_again_gives_the_same_images_first_and_renews_them():
    held = {}
    claim(held, "anna", 2, at(0))
    assert claim(held, "anna", 3, at(9)) == ["a", "b", "c"]
    assert {held[name].expires for name in "abc"} == {at(19)}
    assert {held[name].token for name in "abc"} == {1}


def test_an_expired_lease_goes_to_the_next_under_a_higher_token():
    held = {}
    claim(held, "anna", 1, at(0))
    assert claim(held, "ben", 1, at(9.9)) == ["b"]
    assert claim(held, "cleo", 1, at(10)) == ["a"]
    assert held["a"].token == 2
    with pytest.raises(LeaseError, match="somebody else"):
        check_holder(held["a"], "a", "anna", 1)
    check_holder(held["a"], "a", "cleo", 2)


def test_an_answer_after_the_lease_ended_counts_while_nobody_else_has_the_image():
    held = {}
    claim(held, "anna", 1, at(0))
    check_holder(held["a"], "a", "anna", 1)
    assert claim(held, "anna", 1, at(500)) == ["a"]
    assert held["a"].token == 1


def test_a_lease_from_before_a_restart_of_the_machine_is_over():
    held = {}
    claim(held, "anna", 1, at(1000, "before"))
    assert claim(held, "ben", 1, at(3, "after")) == ["a"]


def test_what_is_given_up_is_free_at_once_and_its_token_is_not_used_again():
    held = {}
    claim(held, "anna", 1, at(0))
    held["a"] = given_up(held["a"])
    assert claim(held, "anna", 1, at(1)) == ["a"]
    assert held["a"].token == 2


@pytest.mark.parametrize(("owner", "token"), [("anna", 2), ("ben", 1), ("", 1)])
def test_an_answer_under_a_wrong_name_or_token_is_refused(owner, token):
    with pytest.raises(LeaseError):
        check_holder(take(None, "a", "anna", at(0), 10), "a", owner, token)


def test_an_answer_for_an_image_never_handed_out_is_refused():
    with pytest.raises(LeaseError, match="never handed out"):
        check_holder(None, "a", "anna", 1)


steps = st.tuples(st.sampled_from(["anna", "ben", "cleo"]), st.integers(0, 4), st.floats(0, 15))


@given(st.lists(steps, max_size=30))
def test_nobody_is_handed_what_another_holds(history):
    held, now = {}, 0.0
    for owner, n, waited in history:
        now += waited
        live = {name for name, lease in held.items() if lease.is_live(at(now)) and lease.owner != owner}
        tokens = {name: lease.token for name, lease in held.items()}
        got = claim(held, owner, n, at(now))
        assert len(got) == len(set(got)) <= n
        assert not live & set(got)
        assert all(held[name].token >= token for name, token in tokens.items())
