"""Clocks that step (NTP, summer time, a suspended laptop): nothing is handed out twice or lost, nobody locked out."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budgetal.desk import Desk, Seat
from budgetal.errors import LeaseError
from budgetal.leasing import DURATION_S
from budgetal.project import Project
from budgetal.state import State, fold
from budgetal.types import Annotation
from budgetal.web.accounts import INVITE_S
from budgetal.web.attempts import Attempts, TooManyAttemptsError
from budgetal.web.insights import Paces
from budgetal.web.members import Members
from budgetal.web.roles import Role

ORIGIN = "http://127.0.0.1:8000"
HOUR_S, DAY_S = 3600, 86_400
STEPS_S = (-DAY_S, -HOUR_S, -0.5, 0.5, HOUR_S, DAY_S)
ANNA, BEN = Seat("anna", "1"), Seat("ben", "1")


class Clocks:
    """The wall clock, which steps, and the time since the machine's start, which goes on in a suspended laptop too."""

    def __init__(self, monkeypatch):
        self.ahead_s, self.slept_s = 0.0, 0.0
        wall, since_start = time.time, time.clock_gettime
        monkeypatch.setattr(time, "time", lambda: wall() + self.ahead_s + self.slept_s)
        monkeypatch.setattr(time, "clock_gettime", lambda clock: since_start(clock) + self.slept_s)


@pytest.fixture
def clocks(monkeypatch):
    return Clocks(monkeypatch)


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_step_of_the_wall_clock_hands_nothing_on_and_refuses_no_answer(project, clocks, step_s):
    desk = Desk(project)
    (item,) = desk.claim(ANNA, 1)
    clocks.ahead_s += step_s
    assert item not in desk.claim(BEN, 10)
    assert desk.claim(ANNA, 1) == [item]
    desk.submit(ANNA, item, "red", "key")
    assert project.state.labels[item.sample_id].annotator == "anna"


def test_a_suspended_laptop_ends_leases_and_takes_late_answers(project, clocks):
    desk = Desk(project)
    first, second = desk.claim(ANNA, 2)
    clocks.slept_s += DURATION_S + 1
    desk.submit(ANNA, first, "red", "late")
    assert second.sample_id in {item.sample_id for item in desk.claim(BEN, 10)}
    with pytest.raises(LeaseError, match="somebody else"):
        desk.submit(ANNA, second, "red", "too late")
    assert set(project.state.labels) == {first.sample_id}


moves = st.tuples(
    st.sampled_from([ANNA, BEN, Seat("cleo", "1")]),
    st.integers(0, 4),
    st.sampled_from(STEPS_S),
    st.sampled_from([0.0, 20.0, DURATION_S]),
)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moves, max_size=10))
def test_nobody_gets_what_another_got_less_than_a_lease_ago(project, clocks, history):
    """By the time since the machine's start alone, wherever the wall clock steps in between."""
    desk, until_s = Desk(project), {}
    for seat, n, step_s, slept_s in history:
        clocks.ahead_s += step_s
        clocks.slept_s += slept_s
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        for item in desk.claim(seat, n):
            owner, held_until_s = until_s.get(item.sample_id, (seat, 0.0))
            assert owner == seat or held_until_s <= now_s + 1
            until_s[item.sample_id] = seat, now_s + DURATION_S
    for seat in (ANNA, BEN, Seat("cleo", "1")):
        desk.release(seat, list(until_s))


def test_the_journals_order_is_its_own_whatever_the_clock_says(project, clocks):
    for step_s, sample_id in zip(STEPS_S, list(project.state.open_items), strict=False):
        clocks.ahead_s += step_s
        project.tell([Annotation(sample_id, "red", "anna")])
        project.tell([Annotation(sample_id, "blue", "anna")])
    events = project.logbook.events()
    times = [event.time_unix_s for event in events]
    assert times != sorted(times)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert {label.label for label in project.state.labels.values()} == {"blue"}
    again = Project.open(project.folder)
    assert (again.state.labels, again.state.open_items) == (project.state.labels, project.state.open_items)
    again.close()
    folded = State()
    fold(folded, events)
    assert folded == project.state


@pytest.mark.parametrize("step_s", [s for s in STEPS_S if s < DAY_S])
def test_a_step_of_the_clock_throws_nobody_out(browser, sessions, clocks, step_s):
    token = sessions.token("anna")
    clocks.ahead_s += step_s
    assert browser.get("/api/v1/project").json()["annotator"] == "ben"
    assert sessions.of(None, token).annotator == "anna"


def test_sessions_end_by_a_clock_that_goes_on_from_where_it_was_set(sessions, clocks):
    token, month_s = sessions.token("anna"), 30 * DAY_S
    clocks.ahead_s -= DAY_S
    assert sessions.of(None, token) is not None
    clocks.ahead_s += DAY_S + month_s - 60
    assert sessions.of(None, token) is not None
    clocks.ahead_s += 120
    assert sessions.of(None, token) is None


def test_a_link_works_once_though_the_clock_is_set_back(sessions, clocks):
    code = sessions.link(ORIGIN, "anna").partition("code=")[2]
    assert sessions.use_code(code)
    for step_s in (-DAY_S, 2 * DAY_S, -DAY_S):
        clocks.ahead_s += step_s
        assert sessions.use_code(code) is None


def test_an_invite_is_over_after_its_week_and_never_open_again_once_used(project, clocks):
    members = Members(project.logbook, lambda: time.time())
    used, kept = (members.invite(Role.ANNOTATOR, name, "olga") for name in ("anna", "ben"))
    members.join(used, "", "four plain words here")
    clocks.ahead_s += INVITE_S + 1
    assert members.open_invites() == []
    clocks.ahead_s -= INVITE_S + DAY_S
    assert [invite.name for invite in members.open_invites()] == ["ben"]
    assert members.invited(kept).name == "ben"
    assert members.invited(used) is None


def test_a_clock_set_back_locks_nobody_out_for_a_day(clocks):
    attempts = Attempts()
    with pytest.raises(TooManyAttemptsError):
        for _ in range(10):
            attempts.count("10.0.0.1", "anna")
    clocks.ahead_s -= DAY_S
    attempts.count("10.0.0.1", "anna")
    with pytest.raises(TooManyAttemptsError) as refused:
        for _ in range(10):
            attempts.count("10.0.0.1", "anna")
    assert refused.value.wait_s <= 61


def test_pace_starts_anew_where_the_clock_was_set_back():
    paces = Paces()
    for time_s in (1000.0, 1006.0, 1012.0, 100.0, 110.0, 120.0):
        paces._note("anna", time_s)
    assert paces.per_minute("anna") == pytest.approx(6.0)
