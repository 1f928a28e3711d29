"""Money in a project: what the journal says that labels cost, and what prices may not decide."""

import dataclasses

import pytest
from collections_made import write_npy

from budgetal.annotators.oracle import Oracle
from budgetal.errors import ConfigError
from budgetal.project import Project
from budgetal.simulate import run, true_labels
from budgetal.state import State, fold
from budgetal.types import Annotation

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}
PRICES = {"cost_per_label": 0.5, "cost_per_label_by_annotator": {"expert": 4.0}, "cost_factor_by_class": {"red": 3.0}}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 150)


@pytest.fixture
def project(images, tmp_path):
    project = Project.create(tmp_path / "project", images=str(images), **SETTINGS, **PRICES)
    yield project
    project.close()


def _money(project):
    return project.state.ledger.spent_money


def test_each_label_costs_by_who_gave_it_and_what_it_says(project):
    one, two, three, *_ = project.ask().sample_ids
    project.tell([Annotation(one, "blue", "ann"), Annotation(two, "red", "ann"), Annotation(three, "red", "expert")])
    assert _money(project) == 0.5 + 1.5 + 12.0


def test_a_correction_replaces_the_price_and_an_undone_label_is_not_paid(project):
    one, two, *_ = project.ask().sample_ids
    project.tell([Annotation(one, "blue", "ann"), Annotation(two, "red", "ann")])
    project.tell([Annotation(one, "red", "expert")])
    assert (_money(project), project.state.n_paid) == (12.0 + 1.5, 2)
    project.undo(one)
    assert (_money(project), project.state.n_paid) == (1.5, 1)


def test_money_is_recomputed_from_the_journal_alone(project):
    run(project, Oracle(true_labels(project)))
    again = State()
    fold(again, project._logbook.events())
    assert again.ledger == project.state.ledger
    assert again.ledger.spent_money == project.state.rounds[-1].spent > 0.5 * 60


def test_the_money_budget_is_never_exceeded(images, tmp_path):
    settings = {**SETTINGS, **PRICES, "budget_money": 500.0}
    project = Project.create(tmp_path / "p", images=str(images), **settings)
    truth = true_labels(project)
    while query := project.ask():
        project.tell([Annotation(i, truth[i], "expert") for i in query.sample_ids])
    # At most 12 a label: 41 labels are affordable at worst, and those of cheap classes leave some for more.
    assert 41 <= project.state.n_paid < 60
    assert 500 - 12 < _money(project) + sum(12 - 4 for i in project.state.audit if truth[i] != "red") <= 500
    project.close()


def test_audit_answers_do_not_decide_how_much_is_trained_on(images, tmp_path):
    """With the answers' own prices, an audit of "red" answers would leave less money for labels to train on."""
    queries = []
    for answer in ("red", "blue"):
        settings = {**SETTINGS, **PRICES, "guard": False, "cost_per_label_by_annotator": {}, "budget_money": 70.0}
        project = Project.create(tmp_path / answer, images=str(images), **settings)
        truth = true_labels(project)
        while query := project.ask():
            given = {i: answer if query.purpose == "audit" else truth[i] for i in query.sample_ids}
            project.tell([Annotation(i, label, "ann") for i, label in given.items()])
        queries.append([query.sample_ids for query in project.state.queries.values()])
        project.close()
    assert queries[0] == queries[1]


def test_a_journal_from_before_there_were_prices_is_read(project):
    events = project._logbook.events()
    config = {name: value for name, value in events[0].data["config"].items() if "_by_" not in name}
    for name in ("cost_per_compute_hour", "cost_per_wrong_label"):
        del config[name]
    state = State()
    fold(state, [dataclasses.replace(events[0], data={"config": config}), *events[1:]])
    assert state.settings.cost_per_label_by_annotator == {}
    assert state.ledger.prices.of("red", "expert") == 0.5


@pytest.mark.parametrize("name", ["cost_per_label_by_annotator", "cost_factor_by_class"])
def test_what_labels_have_cost_cannot_be_changed(project, name):
    with pytest.raises(ConfigError, match=f"'{name}' is fixed"):
        project.configure(**{name: {"red": 2.0}})


def test_other_costs_can_be_changed(project):
    project.configure(cost_per_wrong_label=[[0, 1, 1], [1, 0, 1], [9, 9, 0]], cost_per_compute_hour=2.0)
    folder = project.folder
    project.close()
    again = Project.open(folder)
    assert again.config.cost_per_wrong_label[2] == (9.0, 9.0, 0.0)
    again.close()
