"""The crowd benchmark's checks catch what they are there for: lost answers, and images in two people's hands."""

from pathlib import Path

import pytest

from budgetal.store.events import Event

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.fixture
def log():
    from crowd.people import Log

    return Log()


def claim(owner, token, sent_s, had_s, lease_s=2.0):
    from crowd.people import Claim

    return Claim("image", owner, token, sent_s, had_s, sent_s + lease_s)


def labelled(key, sample_id="image", label="red"):
    return Event(1, 0.0, "labelled", {"sample_id": sample_id, "label": label}, key)


@pytest.mark.parametrize(
    ("events", "n_lost"),
    [
        ([labelled("people/anna/k")], 0),
        ([], 1),
        ([labelled("people/anna/k", label="blue")], 1),
        ([labelled("people/anna/k"), labelled("again/anna/k")], 1),
        ([labelled("people/ben/k")], 1),
    ],
)
def test_an_acknowledged_answer_is_in_the_journal_once_as_it_was_given(log, events, n_lost):
    from crowd.checks import lost

    log.acknowledged["anna/k"] = ("image", "red")
    assert len(lost(log, events)) == n_lost


@pytest.mark.parametrize(
    ("second", "n"),
    [
        (("ben", 2, 0.5, 0.6), 1),
        # Of the same page, after the lease, or perhaps before the first had it: none of these is a fault.
        (("anna", 1, 0.5, 0.6), 0),
        (("ben", 2, 2.1, 2.2), 0),
        (("ben", 2, 1.9, 2.1), 0),
        (("ben", 2, 0.05, 0.2), 0),
    ],
)
def test_an_image_is_in_one_pages_hands_while_its_lease_surely_holds(log, second, n):
    from crowd.checks import handed_out_twice

    log.claims = [claim("anna", 1, 0.0, 0.1), claim(*second)]
    assert len(handed_out_twice(log)) == n


def test_an_image_that_was_answered_may_go_to_another(log):
    from crowd.checks import handed_out_twice

    log.claims = [claim("anna", 1, 0.0, 0.1), claim("ben", 2, 0.5, 0.6)]
    log.let_go["image", "anna", 1] = 0.4
    assert handed_out_twice(log) == []


def test_a_token_belongs_to_one_page(log):
    from crowd.checks import tokens_of_two

    log.claims = [claim("anna", 1, 0.0, 0.1), claim("anna", 1, 1.0, 1.1), claim("ben", 2, 3.0, 3.1)]
    assert tokens_of_two(log) == []
    log.claims.append(claim("carl", 2, 3.0, 3.1))
    assert tokens_of_two(log) == [("image", 2)]


@pytest.mark.parametrize(("p95", "says"), [(80.0, "was kept in this run"), (147.0, "missed by a factor of 1.47")])
def test_the_page_says_whether_the_goal_was_kept(p95, says):
    from crowd.tables import CHECKS, KINDS, people_table

    run = {"latency_ms": {kind: {"p50": 1.0, "p95": p95, "p99": 200.0} for kind in KINDS}}
    run |= {"n_acknowledged": 7, "n_rounds": 1, "n_epochs": 2, **dict.fromkeys(CHECKS, 0), "lost": 3}
    results = {"people": 50, "seconds": 40.0, "images": "digits", "cores": 2, "load_before": 0.1, "lease_s": 2.0}
    results |= {"fsync_ms": 0.5, "runs": {"without learner": run, "with learner": run}}
    page = people_table({**results, "ratios": dict.fromkeys(KINDS, 1.0)})
    assert says in page
    assert "| with learner | 7 | 1 | 2 | 0 | 0 | 3 |" in page
