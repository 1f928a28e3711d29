"""Settings changed while a project runs, in the program and in the file."""

import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.errors import ConfigError
from budgetal.project import Project
from budgetal.simulate import run, true_labels

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def _oracle(project):
    return Oracle(true_labels(project))


def test_a_larger_budget_goes_on_where_the_run_ended(project):
    oracle = _oracle(project)
    run(project, oracle)
    spent_before = project.state.risk_spent
    for budget in (70, 80, 90):
        project.configure(budget=budget)
        run(project, oracle)
        assert project.state.n_paid == budget
        assert project.state.stop_reason == "budget spent"
        assert spent_before < project.state.risk_spent <= SETTINGS["risk"]
        spent_before = project.state.risk_spent


def test_editing_the_settings_file_is_an_event(project):
    path = project.folder / "budgetal.toml"
    path.write_text(path.read_text().replace("budget = 60", "budget = 70"))
    assert Project.open(project.folder).config.budget == 70
    path.write_text(path.read_text().replace('backbone = "embedded"', 'backbone = "resnet18"'))
    with pytest.raises(ConfigError, match="'backbone' is fixed"):
        Project.open(project.folder)


def test_lowering_the_budget_under_way_counts_as_stopping_by_hand(project):
    oracle = _oracle(project)
    while len(project.state.rounds) < 1:
        query = project.ask()
        if len(project.state.rounds) < 1:
            project.tell(oracle.annotate(query))
    project.tell(oracle.annotate(query))
    project.configure(budget=50)
    assert project.ask() is None
    assert project.state.stop_reason == "budget spent"
    assert 0 < project.state.risk_spent < 0.1 * SETTINGS["risk"]
