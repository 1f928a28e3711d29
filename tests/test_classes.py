"""Classes that are added, renamed and merged while a project runs: labels follow, answers to old names stay valid."""

import shutil

import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.classes import class_change, with_change
from budgetal.config import make_config
from budgetal.errors import ConfigError, DataError, ProjectError
from budgetal.loop import ClassesChangedError
from budgetal.project import Project
from budgetal.recertify import recertify
from budgetal.simulate import run, true_labels
from budgetal.types import NONE_OF_THESE, Annotation

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def config(**settings):
    return make_config(**{"images": "x", "classes": ("crow", "owl", "raven"), "budget": 10, **settings})


@pytest.mark.parametrize(
    ("change", "names", "classes", "former"),
    [
        ("add", ["wren"], ("crow", "owl", "raven", "wren"), {}),
        ("rename", ["owl", "barn owl"], ("crow", "barn owl", "raven"), {"owl": "barn owl"}),
        ("merge", ["crow", "raven"], ("owl", "raven"), {"crow": "raven"}),
    ],
)
def test_the_new_list_and_what_old_names_mean(change, names, classes, former):
    before = config()
    found = with_change(before, class_change(before, change, names))
    assert (found["classes"], found["renamed_classes"]) == (classes, former)


def changed(before, *changes):
    for change, *names in changes:
        before = make_config(**{**before.model_dump(), **with_change(before, class_change(before, change, names))})
    return before


def test_names_of_several_changes_lead_to_the_last():
    found = changed(config(), ("rename", "crow", "rook"), ("merge", "rook", "raven"), ("rename", "raven", "corvid"))
    assert found.classes == ("owl", "corvid")
    assert found.renamed_classes == {"crow": "corvid", "rook": "corvid", "raven": "corvid"}


def test_a_class_gets_its_first_name_back():
    found = changed(config(), ("rename", "crow", "rook"), ("rename", "rook", "crow"))
    assert (found.classes, found.renamed_classes) == (("crow", "owl", "raven"), {"rook": "crow"})


@pytest.mark.parametrize(
    ("change", "names", "word"),
    [
        ("add", ["owl"], "already"),
        ("add", [""], "printable"),
        ("add", ["none of these"], "of no class"),
        ("add", ["a", "b"], "takes 1"),
        ("rename", ["olw", "x"], "did you mean 'owl'"),
        ("rename", ["owl", "crow"], "merge the two"),
        ("merge", ["owl", "owl"], "itself"),
        ("merge", ["owl"], "takes 2"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(change, names, word):
    with pytest.raises(ConfigError, match=word):
        class_change(config(), change, names)


def test_a_name_that_pages_may_still_answer_with_is_not_given_again():
    renamed = changed(config(), ("rename", "crow", "rook"))
    with pytest.raises(ConfigError, match="may still answer"):
        class_change(renamed, "add", ["crow"])


def test_what_labels_have_cost_cannot_change_by_a_merger():
    with pytest.raises(ConfigError, match="cost 2 and 1"):
        class_change(config(cost_factor_by_class={"crow": 2.0}), "merge", ["crow", "owl"])
    found = changed(config(cost_factor_by_class={"crow": 2.0}), ("rename", "crow", "rook"))
    assert found.cost_factor_by_class == {"rook": 2.0}


@pytest.mark.parametrize("change", [("add", "wren"), ("merge", "crow", "owl")])
def test_a_table_of_costs_is_not_cut_to_fit(change):
    costs = tuple(tuple(float(i != j) for j in range(3)) for i in range(3))
    with pytest.raises(ConfigError, match="one number"):
        class_change(config(cost_per_wrong_label=costs), change[0], change[1:])


def test_a_renamed_class_keeps_its_labels_its_output_and_the_certificate(make):
    project = make()
    truth = true_labels(project)
    run(project, Oracle(truth))
    certificate, auto = project.state.certificate, project.state.auto
    rows = {row.sample_id: row.label for row in project.label_rows()}
    project.change_classes("rename", "red", "scarlet", annotator="anna")
    assert project.config.classes == ("blue", "green", "scarlet")
    state = project.state
    assert (state.certificate, state.auto, state.finished, state.n_paid) == (certificate, auto, True, 60)
    renamed = {"red": "scarlet"}
    assert {row.sample_id: row.label for row in project.label_rows()} == {
        i: renamed.get(label, label) for i, label in rows.items()
    }
    assert recertify(project.folder).agrees
    project.close()
    again = Project.open(project.folder)
    assert again.config.classes == ("blue", "green", "scarlet")
    again.close()
    project.close()


def test_an_answer_from_a_page_with_the_old_list_is_kept(make):
    project = make()
    first, second = project.ask().sample_ids[:2]
    project.tell([Annotation(first, "red", "anna", "k1")])
    project.change_classes("rename", "red", "scarlet")
    project.tell([Annotation(second, "red", "anna", "k2")])
    project.tell([Annotation(first, "red", "anna", "k1")])
    assert {project.state.labels[i].label for i in (first, second)} == {"scarlet"}
    assert project.state.n_paid == 2
    with pytest.raises(DataError, match="scarlet"):
        project.tell([Annotation(second, "scarlt", "anna")])


def test_merged_labels_train_the_next_model_and_a_new_look_spends_its_own_share(make):
    project = make()
    truth = true_labels(project)
    run(project, Oracle(truth))
    spent, n_rounds = project.state.risk_spent, len(project.state.rounds)
    project.change_classes("merge", "red", "blue")
    state = project.state
    assert (state.auto, state.certificate, state.model, state.finished) == (None, None, None, False)
    assert {label.label for label in state.labels.values()} == {"blue", "green"}
    assert state.n_paid == 60
    assert recertify(project.folder).agrees
    assert project.ask() is None
    assert len(state.rounds) == n_rounds + 1
    assert state.auto.n > 0
    assert {row.label for row in project.label_rows()} == {"blue", "green"}
    assert spent < state.risk_spent < SETTINGS["risk"]
    found = recertify(project.folder)
    assert found.agrees
    assert found.looks[-1].kind == "planned end"
    assert project.write_outputs()["forecast"] is not None


def test_a_class_that_is_added_is_learnt_when_people_give_it(make):
    project = make(budget=80)
    truth = true_labels(project)
    oracle = Oracle({i: "green" if label == "blue" else label for i, label in truth.items()})
    for _ in range(3):
        project.tell(oracle.annotate(project.ask()))
    project.ask()
    assert project.state.model is not None
    project.change_classes("add", "violet")
    late = Oracle({i: "violet" if label == "blue" else label for i, label in truth.items()})
    while query := project.ask():
        project.tell(late.annotate(query))
    assert project.config.classes == ("blue", "green", "red", "violet")
    probs = project.workspace.arrays.get(project.state.probs_ref)
    assert probs.shape == (240, 4)
    assert probs.argmax(axis=1).max() == 3


def test_what_a_learner_found_of_older_classes_is_not_written(make):
    """Another process changed the classes while this one trained."""
    project = make()
    truth = true_labels(project)
    for _ in range(2):
        project.tell(Oracle(truth).annotate(project.ask()))
    loop, other = project.loop, Project.open(project.folder)
    other.change_classes("rename", "red", "scarlet")
    with pytest.raises(ClassesChangedError):
        loop.take("fit")
    assert project.state.model is None
    renamed = Oracle({i: {"red": "scarlet"}.get(label, label) for i, label in truth.items()})
    run(project, renamed)
    assert project.state.finished
    assert recertify(project.folder).agrees
    other.close()


def test_a_settings_file_that_was_not_written_in_time_is_put_right(make):
    project = make()
    before = (project.folder / "budgetal.toml").read_bytes()
    project.change_classes("merge", "red", "blue")
    (project.folder / "budgetal.toml").write_bytes(before)
    project.close()
    again = Project.open(project.folder)
    assert again.config.classes == ("blue", "green")
    assert "red" not in (project.folder / "budgetal.toml").read_text().split("\n")[1]
    again.close()
    project.close()


def test_a_pause_hands_out_nothing_and_takes_what_is_in_hand(make):
    from budgetal.desk import Desk, Seat
    from budgetal.presence import Presence
    from budgetal.worker import Worker

    project = make()
    project.ask()
    desk, seat = Desk(project), Seat("anna", "page")
    (item,) = desk.claim(seat, 1)
    project.pause("anna")
    assert desk.claim(seat, 3) == []
    desk.submit(seat, item, "red", "k")
    assert project.state.n_paid == 1
    assert Worker(project, Presence(project.logbook)).step() == "wait"
    project.resume("anna")
    assert len(desk.claim(seat, 3)) == 3


def test_a_new_class_and_what_is_asked_again_for_it_are_recorded_together(make):
    project = make()
    first, second, *_ = project.ask().sample_ids
    project.tell([Annotation(first, NONE_OF_THESE, "anna"), Annotation(second, "red", "anna")])
    assert project.change_classes("add", "violet", annotator="olga", ask_again=True) == 1
    changed, undone = project.logbook.events()[-2:]
    assert (changed.kind, undone.kind) == ("classes_changed", "undone")
    assert changed.time_unix_s == undone.time_unix_s, "a kill between the two would ask nothing again"
    assert first in project.state.open_items
    assert set(project.state.labels) == {second}


def test_images_of_several_people_are_not_asked_again_by_halves(make):
    project = make(opinions_per_image=2, audit=20)
    project.tell(Annotation(i, NONE_OF_THESE, "anna") for i in project.ask().sample_ids)
    assert project.ask().purpose == "opinion"
    with pytest.raises(ConfigError, match="several people"):
        project.change_classes("add", "violet", ask_again=True)
    assert project.config.classes == ("blue", "green", "red")
    project.tell(Annotation(i, NONE_OF_THESE, "bert") for i in project.ask().sample_ids)
    with pytest.raises(ConfigError, match="several people"):
        project.change_classes("add", "violet", ask_again=True)
    assert project.change_classes("add", "violet") == 0


def test_who_reads_answers_of_several_people_knows_the_classes_of_now(make):
    """As a page does that was opened before the change."""
    project = make(opinions_per_image=2, audit=20)
    ids, reader = project.ask().sample_ids, project.learner.views
    for person in ("anna", "bert"):
        project.tell(Annotation(i, "red", person) for i in ids)
        project.ask()
    project.change_classes("rename", "red", "scarlet")
    rows = project.learner.pool.rows(ids)
    assert reader.targets(project.state, rows).tolist() == [2] * len(ids)
    project.change_classes("merge", "blue", "green")
    assert reader.targets(project.state, rows).tolist() == [1] * len(ids)


def test_nothing_is_asked_by_python_or_the_command_line_while_a_project_is_paused(make):
    project = make()
    project.pause("olga")
    with pytest.raises(ProjectError, match="paused"):
        project.ask()
    assert not project.state.queries
    project.resume("olga")
    assert project.ask() is not None


def test_a_round_that_is_fitted_again_after_a_change_has_the_epochs_of_its_last_fit(make):
    project = make()
    oracle = Oracle(true_labels(project))
    for _ in range(2):
        project.tell(oracle.annotate(project.ask()))
    project.loop.take("fit")
    first = dict(project.state.epochs[0])
    project.change_classes("add", "violet")
    project.ask()
    last = project.state.rounds[0].epochs
    assert first
    assert last
    assert set(last).isdisjoint(first.values())
    numbers = [event.data["epoch"] for event in project.logbook.events() if event.kind == "epoch_ended"]
    assert numbers == [*first, *(epoch.epoch for epoch in last)]


@pytest.mark.parametrize(
    ("classes", "added", "views"), [(("1", "2", "3"), "not a digit", 1), (("blue", "green", "red"), "x", 2)], ids=str
)
def test_a_class_that_comes_later_does_not_change_whether_mirror_images_are_seen(
    images, tmp_path, classes, added, views
):
    unnamed = tmp_path / "unnamed"
    unnamed.mkdir()
    shutil.copy(images / "images.npy", unnamed)
    project = Project.create(tmp_path / "run", images=str(unnamed), classes=classes, **SETTINGS)
    assert project.workspace.engine.networks.views == views
    project.change_classes("add", added)
    project.change_classes("rename", classes[0], "another name")
    assert project.workspace.engine.networks.views == views
    again = Project.open(project.folder)
    assert again.workspace.engine.networks.views == views
    again.close()
    project.close()
