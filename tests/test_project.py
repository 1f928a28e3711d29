"""Ask and tell, the budget, the audit, resuming, and what a journal alone can rebuild."""

import dataclasses

import numpy as np
import pytest
from collections_made import CLASSES, write_npy, write_tree

from budgetal.annotators.oracle import Oracle
from budgetal.errors import BudgetError, ConfigError, DataError, ProjectError
from budgetal.project import Project
from budgetal.simulate import run, true_labels
from budgetal.state import State, fold
from budgetal.types import Annotation

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def _oracle(project):
    return Oracle(true_labels(project))


def test_the_loop_spends_the_budget_and_labels_everything(project):
    run(project, _oracle(project))
    state, rows = project.state, project.label_rows()
    assert len(rows) == 240
    assert (len(state.labels), len(state.audit), state.n_paid) == (60, 30, 60)
    assert state.stop_reason == "budget spent"
    assert {row.provenance for row in rows} >= {"human", "audit", "auto"}
    assert [record.n_human for record in state.rounds] == [40, 50, 60]
    assert project.ask() is None


def test_audit_images_are_never_asked_for_again_and_never_trained_on(project):
    run(project, _oracle(project))
    state = project.state
    asked = [i for query in state.queries.values() for i in query.sample_ids]
    assert len(asked) == len(set(asked))
    trained = project.learner.training_set(state)
    audited = {project.learner.pool.rows([i])[0] for i in state.audit}
    assert not audited & set(trained.rows[: trained.n_human])
    assert state.passed_over <= set(state.audit)


def test_neither_training_nor_querying_depends_on_audit_answers(images, tmp_path):
    """The certificate is exact only when audit answers reach nothing but certificates and metrics."""
    asked, weights = [], []
    for name in ("honest", "lying"):
        project = Project.create(tmp_path / name, images=str(images), **SETTINGS)
        truth = true_labels(project)
        while query := project.ask():
            lies = name == "lying" and query.purpose == "audit"
            labels = dict.fromkeys(truth, "red") if lies else truth
            project.tell(Oracle(labels).annotate(query))
        asked.append([query.sample_ids for query in project.state.queries.values()])
        weights.append(project.state.model.weights_ref)
        project.close()
    assert asked[0] == asked[1]
    assert weights[0] == weights[1]


def test_same_seed_same_run_to_the_bit_and_another_seed_another(images, tmp_path):
    results = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        project = Project.create(tmp_path / name, images=str(images), seed=seed, **SETTINGS)
        run(project, _oracle(project))
        results[name] = _fingerprint(project)
        project.close()
    assert results["a"] == results["b"]
    assert results["a"] != results["c"]


def test_a_project_reopened_after_every_step_gives_the_same_result(images, tmp_path):
    straight = Project.create(tmp_path / "straight", images=str(images), **SETTINGS)
    oracle = _oracle(straight)
    run(straight, oracle)
    Project.create(tmp_path / "halting", images=str(images), **SETTINGS).close()
    while True:
        project = Project.open(tmp_path / "halting")
        query = project.ask()
        if query is None:
            break
        # Half of the answers, in their own session: the rest must be asked for again.
        project.tell(
            oracle.annotate(dataclasses.replace(query, sample_ids=query.sample_ids[: len(query.sample_ids) // 2 + 1]))
        )
        project.close()
    assert _fingerprint(project) == _fingerprint(straight)


def _fingerprint(project):
    state = project.state
    curve = [dataclasses.replace(record, seconds=0.0) for record in state.rounds]
    return project.label_rows(), curve, state.certificate, state.model.weights_ref, state.probs_ref


def test_state_is_a_fold_of_the_journal(project):
    run(project, _oracle(project))
    rebuilt = State()
    fold(rebuilt, project._logbook.events())
    assert rebuilt == project.state


def test_asking_for_more_than_the_budget_is_refused(project):
    with pytest.raises(BudgetError, match="61 labels"):
        project.ask(61)


def test_two_who_ask_at_once_are_served_one_query_and_one_reservation(images, tmp_path):
    first = Project.create(tmp_path / "shared", images=str(images), **SETTINGS)
    second = Project.open(tmp_path / "shared")
    query = first.ask()
    assert second.ask() == query
    assert len(second.state.open_items) == 10


def test_a_choice_that_another_process_overtook_is_dropped(images, tmp_path, monkeypatch):
    first = Project.create(tmp_path / "shared", images=str(images), **SETTINGS)
    second = Project.open(tmp_path / "shared")
    pick = second.learner.pick

    def slow_pick(*arguments):
        monkeypatch.setattr(second.learner, "pick", pick)
        chosen = pick(*arguments)
        first.tell(_oracle(first).annotate(first.ask()))
        return chosen

    monkeypatch.setattr(second.learner, "pick", slow_pick)
    query = second.ask()
    assert query.purpose == "audit"
    assert not set(query.sample_ids) & set(second.state.labels)


def test_a_target_stops_the_run_and_keeps_the_certificate_that_reached_it(images, tmp_path):
    settings = {**SETTINGS, "budget": 160, "target_coverage": 0.5, "tolerance": 0.35}
    project = Project.create(tmp_path / "target", images=str(images), **settings)
    run(project, _oracle(project))
    assert project.state.stop_reason == "target reached"
    assert project.state.n_paid < 160
    assert project.state.certificate.risk <= 0.4 * SETTINGS["risk"] / 2
    assert project.state.risk_spent <= SETTINGS["risk"]


def test_a_run_stops_when_predictions_no_longer_change(images, tmp_path):
    project = Project.create(tmp_path / "flat", images=str(images), **{**SETTINGS, "budget": 220, "plateau_rounds": 2})
    run(project, _oracle(project))
    assert project.state.stop_reason == "predictions no longer change"
    assert min(record.agreement for record in project.state.rounds[-2:]) >= 0.99


def test_labels_that_came_with_the_images_cost_nothing(tmp_path):
    folder = write_npy(tmp_path / "images", 90)
    project = Project.create(tmp_path / "p", images=str(folder), use_given_labels=True, **SETTINGS)
    assert len(project.state.labels) == 90
    assert project.state.n_paid == 0
    assert project.ask() is None


def test_images_that_changed_under_a_project_are_refused(tmp_path):
    folder = write_npy(tmp_path / "images", 90)
    Project.create(tmp_path / "p", images=str(folder), **SETTINGS).close()
    write_npy(folder, 90, seed=1)
    (tmp_path / "p" / "cache" / "index.parquet").unlink()
    with pytest.raises(DataError, match="not those this project was made from"):
        Project.open(tmp_path / "p").samples  # noqa: B018


def test_a_lost_index_is_built_again(project):
    before = project.samples
    (project.folder / "cache" / "index.parquet").unlink()
    assert Project.open(project.folder).samples == before


def test_the_certificate_bounds_the_true_error(project):
    truth = true_labels(project)
    run(project, Oracle(truth))
    auto = [row for row in project.label_rows() if row.provenance == "auto"]
    wrong = np.mean([row.label != truth[row.sample_id] for row in auto])
    assert wrong <= project.state.certificate.upper_bound
    assert len(auto) == project.state.certificate.n_auto


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategy": "marginn"}, "did you mean 'margin'"),
        ({"backbone": "resnet19"}, "did you mean 'resnet18'"),
        ({"tolerance": 1.5}, "'tolerance' cannot be 1.5"),
        ({"budget": 20}, "audit of 30 labels is above the budget of 20"),
        ({"classes": ("red",)}, "two classes or more"),
        ({"classes": ("red", "green")}, "Unknown label 'blue'"),
        ({"batsh": 3}, "did you mean 'batch'"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_anything_is_made(images, tmp_path, changes, message):
    with pytest.raises((ConfigError, DataError), match=message):
        Project.create(tmp_path / "p", images=str(images), **{**SETTINGS, **changes})
    assert not (tmp_path / "p" / "journal.db").exists()


def test_a_project_is_not_made_twice(project, images):
    with pytest.raises(ProjectError, match="is a project already"):
        Project.create(project.folder, images=str(images), **SETTINGS)


def test_classes_are_those_of_the_collection(project):
    assert project.config.classes == CLASSES


def test_an_undone_label_is_asked_and_answered_again_by_a_run(project):
    oracle = _oracle(project)
    run(project, oracle)
    undone = next(i for i in project.state.labels if i not in project.state.audit)
    project.undo(undone)
    run(project, oracle)
    assert project.state.n_paid == 60
    assert undone in project.state.labels


def test_money_limits_the_plan_too(images, tmp_path):
    settings = {**SETTINGS, "budget_money": 50.0, "cost_per_label": 1.0}
    project = Project.create(tmp_path / "p", images=str(images), **settings)
    run(project, _oracle(project))
    assert project.state.n_paid == 50
    assert project.state.model is not None
    with pytest.raises(ConfigError, match="above the budget of 29"):
        Project.create(tmp_path / "q", images=str(images), **{**settings, "budget_money": 29.5})


def test_a_page_that_asks_for_a_few_at_a_time_gets_the_whole_audit(project):
    asked = []
    while (query := project.ask(4)).purpose != "round":
        assert len(query.sample_ids) <= 4
        asked += query.sample_ids
        project.tell(_oracle(project).annotate(query))
    assert len(project.state.audit) == 30
    assert len(asked) == 40


@pytest.mark.parametrize("n", [0, -1])
def test_asking_for_nothing_is_refused(project, n):
    with pytest.raises(BudgetError, match=f"Cannot ask for {n} labels"):
        project.ask(n)


def test_a_corrected_audit_answer_means_a_new_certificate_and_no_new_training(project):
    oracle = _oracle(project)
    run(project, oracle)
    before = project.state.model.weights_ref, len(project.state.rounds), project.state.certificate
    wrong = [i for i in project.state.audit if project.state.labels[i].label != "red"]
    project.tell([Annotation(i, "red") for i in wrong])
    assert project.ask() is None
    assert (project.state.model.weights_ref, len(project.state.rounds)) == before[:2]
    assert before[2] is not None
    assert project.state.certificate is None
    assert project.state.auto.n == 0


def test_a_run_stopped_by_hand_withdraws_its_query_and_says_so(project):
    oracle = _oracle(project)
    while len(project.state.rounds) < 1:
        query = project.ask()
        project.tell(oracle.annotate(query))
    project.ask()
    project.stop()
    assert project.ask() is None
    assert project.state.finished
    assert project.state.open_items == {}
    assert 0 < project.state.risk_spent < 0.1 * SETTINGS["risk"]


def test_a_run_stopped_before_its_audit_still_has_a_model(project):
    project.tell(_oracle(project).annotate(project.ask()))
    project.stop()
    assert project.ask() is None
    assert project.state.model is not None
    assert project.state.certificate is None


def test_images_added_under_way_are_noticed(tmp_path):
    folder = write_tree(tmp_path / "images", 60)
    project = Project.create(tmp_path / "p", images=str(folder), **{**SETTINGS, "budget": 45})
    project.close()
    write_tree(tmp_path / "more", 66, seed=5)
    (tmp_path / "more" / "red" / "0002.png").rename(folder / "red" / "new.png")
    with pytest.raises(DataError, match="not those this project was made from"):
        Project.open(tmp_path / "p").ask()


def test_a_project_does_not_depend_on_the_working_directory(tmp_path, monkeypatch):
    write_npy(tmp_path / "images", 90)
    monkeypatch.chdir(tmp_path)
    Project.create("p", images="images", **SETTINGS).close()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Project.open("../p").ask().purpose == "initial"


def test_stopping_twice_in_one_round_is_one_look(project):
    oracle = _oracle(project)
    while not project.state.rounds:
        project.tell(oracle.annotate(project.ask()))
    spent = []
    for budget in (61, 62):
        project.stop()
        assert project.ask() is None
        spent.append(project.state.risk_spent)
        project.configure(budget=budget)
    assert spent[0] == spent[1] > 0


def test_an_audit_corrected_after_the_target_was_reached_is_looked_at_again(images, tmp_path):
    settings = {**SETTINGS, "budget": 160, "target_coverage": 0.5, "tolerance": 0.35}
    project = Project.create(tmp_path / "target", images=str(images), **settings)
    run(project, _oracle(project))
    before, spent = project.state.certificate, project.state.risk_spent
    project.tell([Annotation(i, "red") for i in project.state.audit if project.state.labels[i].label != "red"])
    assert project.ask() is None
    assert before is not None
    assert project.state.certificate is None
    assert project.state.risk_spent == spent
