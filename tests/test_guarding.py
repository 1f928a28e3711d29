"""A strategy that is worse than random is dropped, and the certificate pays for that decision."""

import numpy as np
import pytest
import torch
from collections_made import CLASSES, write_npy

from budgetal import journal
from budgetal.annotators.oracle import Oracle
from budgetal.annotators.risk import final_risk, risk_after_guard, round_risk
from budgetal.errors import ConfigError
from budgetal.project import Project
from budgetal.query import Selection, strategies, strategy
from budgetal.simulate import run, true_labels
from budgetal.store.events import NewEvent

SETTINGS = {"budget": 130, "audit": 60, "initial": 20, "batch": 10, "tolerance": 0.2, "risk": 0.2}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 400)


@pytest.fixture
def one_class():
    """A strategy that asks for one class only."""

    def choose(pool, n, rng):
        """Images that look most like those of the first class seen."""
        like = pool.embeddings @ pool.embeddings[0]
        rows = torch.argsort(like, descending=True, stable=True)[:n]
        return Selection(rows, like[rows])

    strategy("one_class", needs=("embeddings",), source="a test", cost="O(N d)", cold_start=True)(choose)
    yield "one_class"
    del strategies._items["one_class"]


def finished(folder, images, **settings):
    project = Project.create(folder, images=str(images), **(SETTINGS | settings))
    run(project, Oracle(true_labels(project)))
    return project


def asked_labels(project, query):
    truth = true_labels(project)
    return [truth[sample_id] for sample_id in query.sample_ids]


def test_a_strategy_that_asks_for_one_class_is_dropped_and_queries_become_random(images, tmp_path, one_class):
    project = finished(tmp_path / "p", images, strategy=one_class)
    state = project.state
    assert state.fallback_round is not None
    assert state.strategy == "random"
    by_round = {query.round: query for query in state.queries.values() if query.purpose == "round"}
    after = [
        label
        for round, query in by_round.items()
        if round > state.fallback_round
        for label in asked_labels(project, query)
    ]
    initial = asked_labels(project, state.query_of("initial"))
    assert len(set(initial)) < len(CLASSES)
    assert set(after) == set(CLASSES)
    project.close()


def test_after_a_fall_back_the_certificate_has_that_outcome_s_share_of_the_risk(images, tmp_path, one_class):
    project = finished(tmp_path / "p", images, strategy=one_class)
    left = risk_after_guard(SETTINGS["risk"], project.state.fallback_round)
    assert project.state.risk_spent == pytest.approx(final_risk(left, 0, has_target=False))
    project.close()


def test_a_verdict_that_changed_no_query_costs_nothing_and_one_that_did_is_paid_for_at_once(
    images, tmp_path, one_class
):
    """The run ends in the round of its verdict; with a larger budget a random query is asked, then it is stopped."""
    project = finished(tmp_path / "p", images, strategy=one_class, budget=80)
    state, spent = project.state, final_risk(SETTINGS["risk"], 0, has_target=False)
    assert (state.fallback_round, state.felt_fallback) == (0, None)
    assert state.risk_spent == pytest.approx(spent)
    project.configure(budget=100)
    assert project.ask() is not None
    assert state.felt_fallback == 0
    project.stop()
    assert project.ask() is None
    left = risk_after_guard(SETTINGS["risk"], 0)
    assert state.risk_spent - spent == pytest.approx(round_risk(left, 0, has_target=False))
    project.close()


def test_a_look_before_a_fall_back_was_felt_does_not_pay_for_one_after(images, tmp_path, one_class):
    """Both in the same round: the second judges images that the verdict had a part in choosing."""
    project = Project.create(tmp_path / "p", images=str(images), strategy=one_class, **SETTINGS)
    oracle = Oracle(true_labels(project))
    loop, ask = project.loop, project.loop._ask
    loop._ask = lambda purpose, n: project.stop() if project.state.rounds else ask(purpose, n)
    run(project, oracle)
    first = project.state.risk_spent
    assert project.state.felt_fallback is None
    assert first == pytest.approx(round_risk(SETTINGS["risk"], 0, has_target=False))
    project.configure(budget=131)
    project.ask()
    project.stop()
    assert project.ask() is None
    left = risk_after_guard(SETTINGS["risk"], project.state.felt_fallback)
    assert project.state.risk_spent - first == pytest.approx(round_risk(left, 0, has_target=False))
    project.close()


def test_a_project_from_before_the_guard_has_no_share_for_it_and_stays_as_it_is(
    images, tmp_path, one_class, monkeypatch
):
    created = journal.created

    def without_guard(config, simulated=None):
        event = created(config)
        settings = {name: value for name, value in event.data["config"].items() if name != "guard"}
        return NewEvent(event.kind, {"config": settings}, event.key)

    monkeypatch.setattr(journal, "created", without_guard)
    project = finished(tmp_path / "p", images, strategy=one_class)
    assert project.state.fallback_round is None
    assert not [event for event in project._logbook.events() if event.kind == "judged"]
    project.close()
    Project.open(tmp_path / "p").close()


def test_after_a_fall_back_another_strategy_is_refused_in_one_line(images, tmp_path, one_class):
    project = finished(tmp_path / "p", images, strategy=one_class)
    with pytest.raises(ConfigError, match="Cannot change the strategy to 'margin': queries are random since round 0"):
        project.configure(strategy="margin")
    assert project.config.strategy == one_class
    project.close()


def test_without_the_guard_a_strategy_stays(images, tmp_path, one_class):
    project = finished(tmp_path / "p", images, strategy=one_class, guard=False)
    assert project.state.fallback_round is None
    assert project.state.strategy == "one_class"
    project.close()


def test_the_default_strategy_is_not_dropped_and_pays_nothing(images, tmp_path):
    project = finished(tmp_path / "p", images)
    assert project.state.fallback_round is None
    assert project.state.risk_spent == pytest.approx(final_risk(SETTINGS["risk"], 0, has_target=False))
    project.close()


def test_audit_answers_decide_nothing_but_whether_queries_become_random(images, tmp_path):
    """False audit answers drop the strategy; up to that round the two runs ask the same."""
    honest, lying = (Project.create(tmp_path / name, images=str(images), **SETTINGS) for name in ("a", "b"))
    truth = true_labels(honest)
    run(honest, Oracle(truth))
    random = np.random.default_rng(0)
    while query := lying.ask():
        is_audit = query.purpose == "audit"
        lies = {i: str(random.choice(CLASSES)) if is_audit else truth[i] for i in query.sample_ids}
        lying.tell(Oracle(lies).annotate(query))
    fallback = lying.state.fallback_round
    same = [n for n, query in honest.state.queries.items() if fallback is None or query.round <= fallback]
    assert len(same) >= 3
    for number in same:
        assert lying.state.queries[number].sample_ids == honest.state.queries[number].sample_ids
    honest.close()
    lying.close()
