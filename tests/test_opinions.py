"""Several people's opinions of one image: who is asked, what is paid, what the label is, what the audit may tell."""

import numpy as np
import pytest
from collections_made import CLASSES, write_tree

from budgetal import rounds
from budgetal.ahead import Lead, next_step
from budgetal.annotators.people import People
from budgetal.consensus import people_table
from budgetal.errors import BudgetError, ConfigError, ProjectError
from budgetal.project import Project
from budgetal.recertify import recertify
from budgetal.simulate import run, simulate, true_labels
from budgetal.state import State, fold
from budgetal.types import Annotation

SETTINGS = {
    "opinions_per_image": 2,
    "budget": 120,
    "audit": 25,
    "initial": 10,
    "batch": 10,
    "tolerance": 0.2,
    "risk": 0.2,
}


def _people(project, noise=0.1, n_people=4):
    return People(true_labels(project), CLASSES, noise, n_people)


def _all_by(query, label, annotator):
    return [Annotation(sample_id, label, annotator) for sample_id in query.sample_ids]


def _asked_again(project):
    """The first query answered by ann, and the query for second opinions."""
    first = project.ask()
    project.tell(_all_by(first, "red", "ann"))
    return first, project.ask()


def test_every_image_is_asked_of_two_people_and_both_are_paid(make):
    project = make()
    run(project, _people(project))
    state = project.state
    assert state.n_paid == 120
    assert state.ledger.reserved == 0
    assert {len(state.answers_of(i)) for i in state.labels} == {2}
    assert all(len({answer.annotator for answer in answers}) == 2 for answers in state.opinions.values())
    assert len(state.audit) == 25
    again = State()
    fold(again, project._logbook.events())
    assert (again.labels, again.opinions, again.paid) == (state.labels, state.opinions, state.paid)
    assert recertify(project.folder).agrees


def test_a_second_opinion_is_added_and_the_first_counts_in_a_tie(make):
    project = make(opinions_per_image=3)
    first, second = _asked_again(project)
    assert second.purpose == "opinion"
    assert second.sample_ids == first.sample_ids
    assert second.not_by[first.sample_ids[0]] == ("ann",)
    project.tell(_all_by(second, "blue", "bob"))
    one = first.sample_ids[0]
    assert project.state.labels[one].label == "red"
    third = project.ask()
    assert third.not_by[one] == ("ann", "bob")
    project.tell(_all_by(third, "blue", "eve"))
    assert (project.state.labels[one].label, project.state.labels[one].annotator) == ("blue", "bob")
    assert project.state.n_paid == 30
    assert project.ask().purpose == "audit"


def test_while_a_second_opinion_is_awaited_no_file_tells_the_first(make):
    project = make()
    _, query = _asked_again(project)
    assert {row.sample_id for row in project.label_rows()} & set(query.sample_ids) == set()
    project.tell(_all_by(query, "red", "ben"))
    assert {row.sample_id for row in project.label_rows()} >= set(query.sample_ids)


def test_the_same_person_corrects_and_another_adds(make):
    project = make()
    _, second = _asked_again(project)
    one, two, *_ = second.sample_ids
    project.tell([Annotation(one, "green", "ann")])
    assert project.state.labels[one].label == "green"
    assert one in project.ask().sample_ids
    project.tell([Annotation(one, "blue", "bob"), Annotation(two, "red", "bob")])
    project.tell([Annotation(one, "green", "bob")])
    assert [answer.label for answer in project.state.answers_of(one)] == ["green", "green"]
    assert project.state.n_paid == 12
    with pytest.raises(ProjectError, match="waits for another person"):
        project.tell([Annotation(second.sample_ids[2], "red", "ann")])


def test_undo_takes_the_last_opinion_back(make):
    project = make()
    _, second = _asked_again(project)
    one = second.sample_ids[0]
    project.tell(_all_by(second, "blue", "bob"))
    project.undo(one)
    assert [answer.annotator for answer in project.state.answers_of(one)] == ["ann"]
    assert (project.state.n_paid, project.ask().sample_ids) == (19, (one,))
    with pytest.raises(ProjectError, match="Nothing to undo"):
        project.undo(one)


def test_a_skipped_opinion_is_not_asked_again_and_can_be_undone(make):
    project = make()
    _, second = _asked_again(project)
    one, *others = second.sample_ids
    project.skip(one)
    assert project.state.labels[one].label == "red"
    project.undo(one)
    assert one in project.ask().sample_ids
    project.skip(one)
    project.tell([Annotation(i, "red", "bob") for i in others])
    assert project.ask().purpose == "audit"
    assert project.state.n_paid == 19


def test_who_asks_gets_what_others_have_answered(make):
    project = make()
    _, second = _asked_again(project)
    with pytest.raises(ProjectError, match="10 images wait for somebody else's opinion"):
        project.ask(annotator="ann")
    assert project.ask(3, annotator="bob").sample_ids == second.sample_ids[:3]


def test_an_opinion_nobody_asked_for_needs_budget(make):
    project = make(budget=100)
    run(project, _people(project))
    some = next(i for i in project.state.opinions if i not in project.state.audit)
    with pytest.raises(BudgetError, match="0 are left"):
        project.tell([Annotation(some, "red", "stranger")])


def test_a_repeated_delivery_changes_nothing(make):
    project = make()
    first = project.ask()
    answers = [Annotation(i, "red", "ann", key=f"click-{i}") for i in first.sample_ids]
    project.tell(answers)
    project.ask()
    project.tell(answers)
    second = [Annotation(i, "blue", "bob", key=f"again-{i}") for i in first.sample_ids]
    project.tell(second)
    project.tell([*answers, *second])
    assert project.state.n_paid == 20
    assert not project.state.open_items


def test_neither_audit_answers_nor_audit_opinions_reach_training_or_queries(make):
    asked, weights, left = [], [], []
    for name in ("honest", "lying"):
        project = make(name, audit_opinions=3)
        people = _people(project)
        while query := project.ask():
            answers = people.annotate(query)
            if name == "lying" and query.sample_ids[0] in project.state.audit:
                project.skip(query.sample_ids[0])
                answers = [Annotation(a.sample_id, "red", a.annotator) for a in answers[1:]]
            project.tell(answers)
        asked.append([query.sample_ids for query in project.state.queries.values()])
        weights.append(project.state.model.weights_ref)
        left.append(
            [record.n_human - len(project.state.audit & project.state.labels.keys()) for record in project.state.rounds]
        )
    assert asked[0] == asked[1]
    assert weights[0] == weights[1]
    assert left[0] == left[1]


def test_by_default_nobody_is_asked_twice(make):
    project = make(opinions_per_image=1, budget=60)
    run(project, _people(project))
    assert not project.state.opinions
    assert {query.purpose for query in project.state.queries.values()} == {"initial", "audit", "round"}


def test_opinions_make_labels_better_and_show_who_is_good(make):
    project = make(budget=400, opinions_per_image=3, audit_opinions=1, audit=30)
    run(project, _people(project, noise=0.3, n_people=4))
    truth, rows = true_labels(project), project.label_rows()
    several = [row for row in rows if row.n_opinions == 3]
    right = np.mean([row.label == truth[row.sample_id] for row in several])
    first = np.mean([project.state.opinions[row.sample_id][0].label == truth[row.sample_id] for row in several])
    assert right > first + 0.05
    table = {row["annotator"]: row for row in people_table(project.state)}
    assert table["person-1"]["accuracy"] > table["person-4"]["accuracy"] + 0.1
    assert all(row["low"] < row["accuracy"] < row["high"] for row in table.values())
    assert sum(row["n_answers"] for row in table.values()) == project.state.n_paid


def test_a_simulation_with_too_few_people_is_refused(images, tmp_path):
    with pytest.raises(ConfigError, match="2 opinions an image need as many people, not 1"):
        simulate(str(images), tmp_path / "p", **SETTINGS)


def test_an_audit_with_its_opinions_must_fit_the_budget(make):
    with pytest.raises(ConfigError, match="audit of 150 labels is above the budget of 120"):
        make(audit=50, audit_opinions=3)


def test_an_audit_by_people_who_err_certifies_with_two_opinions_and_an_estimated_rate(make):
    """With one person who is wrong in a tenth of all answers nothing is certified, whatever the model knows."""
    certified = {}
    for name, settings in {
        "one": {"opinions_per_image": 1, "audit": 80},
        "estimated": {"audit": 80, "audit_error_rate": "estimated", "audit_errors": "random"},
    }.items():
        project = make(name, **{"budget": 240, "tolerance": 0.2, "initial": 20, "batch": 20, **settings})
        run(project, _people(project, noise=0.1))
        certified[name] = project.state.certificate
        assert recertify(project.folder).agrees
        rows, truth = project.label_rows(), true_labels(project)
        automatic = [row for row in rows if row.provenance == "auto"]
        assert sum(row.label != truth[row.sample_id] for row in automatic) <= 0.2 * len(automatic)
    assert certified["one"] is None
    assert certified["estimated"].n_auto > 0
    assert 0 < certified["estimated"].audit_error < 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"audit_error_rate": "estimated"}, 'audit_errors = "random" only'),
        ({"audit_error_rate": "estimated", "audit_errors": "random", "opinions_per_image": 1}, "2 or more"),
        ({"audit_error_rate": 1.5}, "'audit_error_rate' cannot be 1.5"),
    ],
)
def test_what_cannot_be_assumed_of_people_is_refused(make, settings, message):
    with pytest.raises(ConfigError, match=message):
        make(**settings)


def test_second_opinions_go_where_labels_are_wrong(make):
    project = make(opinions_per_image=1, second_opinions="gain", budget=160, audit=20, initial=40, batch=20)
    run(project, _people(project, noise=0.15))
    state, truth = project.state, true_labels(project)
    assert state.n_paid == 160
    first_wrong = [answers[0].label != truth[i] for i, answers in state.opinions.items()]
    everything = [state.answers_of(i)[0].label != truth[i] for i in state.labels if i not in state.audit]
    assert first_wrong
    assert np.mean(first_wrong) > 2 * np.mean(everything)
    assert not state.opinions.keys() & state.audit.keys()
    assert recertify(project.folder).agrees


def test_where_to_ask_again_does_not_depend_on_audit_answers(make):
    asked = []
    for name in ("honest", "lying"):
        project = make(name, opinions_per_image=1, second_opinions="gain", budget=130, initial=40, batch=20)
        people = _people(project, noise=0.15)
        while query := project.ask():
            answers = people.annotate(query)
            if name == "lying" and query.purpose == "audit":
                answers = [Annotation(a.sample_id, "red", a.annotator) for a in answers]
            project.tell(answers)
        asked.append([query.sample_ids for query in project.state.queries.values()])
        assert any(query.purpose == "opinion" for query in project.state.queries.values())
    assert asked[0] == asked[1]


def test_one_person_alone_is_not_asked_again(make):
    project = make(opinions_per_image=1, second_opinions="gain", budget=80)
    run(project, _people(project, noise=0.2, n_people=1))
    assert not project.state.opinions


def test_images_with_given_labels_test_people_and_keep_their_labels(tmp_path):
    """A tree where every third image has no label: the others are given and are asked of people now and then."""
    settings = {**SETTINGS, "opinions_per_image": 1, "budget": 80, "gold_per_query": 4}
    project = Project.create(
        tmp_path / "gold", images=str(_half_labelled(tmp_path)), classes=CLASSES, use_given_labels=True, **settings
    )
    given = {i: label.label for i, label in project.state.labels.items()}
    people = People({i: given.get(i, "red") for i in (s.sample_id for s in project.samples)}, CLASSES, 0.4, 2)
    run(project, people)
    state = project.state
    assert {i: state.labels[i].label for i in given} == given
    asked = [i for query in state.queries.values() if query.purpose == "opinion" for i in query.sample_ids]
    assert len(set(asked)) == len(asked) >= 8
    assert set(asked) <= given.keys()
    assert state.n_paid == 80
    assert all(row["accuracy"] is not None for row in people_table(state))
    assert recertify(project.folder).agrees
    project.close()


def _half_labelled(folder):
    """A manifest of 90 images of which 30 have a label."""
    write_tree(folder / "tree", 90)
    files = sorted((folder / "tree").rglob("*.png"))
    lines = [
        f"{file.relative_to(folder)},{file.parent.name if place % 3 == 0 else ''}" for place, file in enumerate(files)
    ]
    (folder / "manifest.csv").write_text("\n".join(["path,label", *lines]) + "\n")
    return folder / "manifest.csv"


def test_second_opinions_spend_no_label_that_is_kept_for_the_end(make):
    """With an odd number of labels left to train on, the last image has one opinion, and the end has all of its own."""
    project = make(audit_opinions=1, last_audit=21, budget=91)
    run(project, _people(project))
    state = project.state
    assert len(state.last_audit) == 21
    assert state.n_paid == 91
    assert recertify(project.folder).agrees


def test_the_last_opinions_are_asked_though_no_image_is_left(make):
    project = make(budget=600, audit=40, initial=100, batch=100)
    run(project, _people(project))
    state = project.state
    assert len(state.labels) == state.n_samples == 240
    assert {len(state.answers_of(i)) for i in state.labels} == {2}
    assert state.n_paid == 480


def test_the_learner_beside_people_asks_the_last_opinions_too(make):
    project = make(budget=600, audit=40, initial=100, batch=100)
    people, plan = _people(project), project.plan
    while (step := next_step(project.state, plan, Lead(), 0)) != "wait" or project.state.open_items:
        while step == "wait" and (query := rounds.open_query(project.state)) is not None:
            project.tell(people.annotate(query))
        if step != "wait":
            project.loop.take(step)
        assert len(project.state.queries) < 50
    assert {len(project.state.answers_of(i)) for i in project.state.labels} == {2}
    assert project.state.n_paid == 480
