"""Gold images: people are tested with them, and the certificate knows nothing of it."""

import numpy as np
import pytest
from collections_made import CLASSES
from scipy.stats import binomtest

from budgetal.annotators.budget_annotator import Audit, auto_label
from budgetal.annotators.oracle import Oracle
from budgetal.annotators.people import People
from budgetal.annotators.proposals import Proposals
from budgetal.consensus import labels_to_train_on, people_table
from budgetal.desk import Desk, Seat
from budgetal.errors import DataError, ProjectError
from budgetal.evidence import evidence
from budgetal.project import Project
from budgetal.recertify import recertify
from budgetal.simulate import run, simulate, true_labels
from budgetal.state import State, fold
from budgetal.store.events import Event
from budgetal.types import NONE_OF_THESE, Annotation, Query

SETTINGS = {"budget": 90, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.3, "risk": 0.2}


def _table(path, labels):
    path.write_text("\n".join(["sample_id,label", *(f"{i},{label}" for i, label in labels.items())]) + "\n")
    return path


@pytest.fixture(scope="module")
def truth(images, tmp_path_factory):
    project = Project.create(tmp_path_factory.mktemp("truth") / "p", images=str(images), **SETTINGS)
    known = true_labels(project)
    project.close()
    return known


@pytest.fixture
def table(truth, tmp_path):
    """Twelve gold images."""
    return _table(tmp_path / "gold.csv", {i: truth[i] for i in sorted(truth)[5:185:15]})


def _gold(project):
    return tuple(project.state.gold)


def test_people_are_tested_with_gold_and_it_keeps_its_labels(make, table, truth):
    project = make(gold=table, gold_per_query=3)
    assert len(_gold(project)) == 12
    assert project.state.n_paid == 0
    people = People(truth, CLASSES, 0.4, 3)
    run(project, people)
    state = project.state
    tests = [i for query in state.queries.values() if query.purpose == "opinion" for i in query.sample_ids]
    assert len(tests) >= 12
    assert set(tests) <= set(_gold(project))
    assert {i: state.labels[i].label for i in _gold(project)} == {i: truth[i] for i in _gold(project)}
    # By hand, from what each person says of an image whatever was asked before.
    for row in people_table(state):
        said = [one for i in _gold(project) for one in state.answers_of(i) if one.annotator == row["annotator"]]
        right = sum(one.label == truth[i] for i in _gold(project) for one in state.answers_of(i) if one in said)
        assert (row["n_known"], row["n_known_right"]) == (len(said), right)
        assert row["known_low"] < row["n_known_right"] / row["n_known"] < row["known_high"] or right in (0, len(said))
    assert state.n_paid == 90
    assert recertify(project.folder).agrees


def test_gold_is_never_open_audited_or_labelled_by_the_machine(make, table, truth):
    project = make(gold=table)
    run(project, Oracle(truth))
    state = project.state
    assert not set(_gold(project)) & state.audit.keys()
    assert not np.isin(project.learner.pool.rows(_gold(project)), project.learner.open_rows(state)).any()
    provenance = {row.sample_id: (row.provenance, row.annotator) for row in project.label_rows()}
    assert {provenance[i] for i in _gold(project)} == {("human", "gold")}
    assert project.write_outputs()["n_gold_images"] == 12


def test_gold_trains_but_is_no_first_query(make, table, truth):
    """Gold may all be of one class: the first query is asked as ever."""
    one_class = _table(table.with_name("one.csv"), dict.fromkeys([i for i in truth if truth[i] == "red"][:5], "red"))
    project = make(gold=one_class)
    first = project.ask()
    assert (first.purpose, len(first.sample_ids)) == ("initial", 10)
    assert labels_to_train_on(project.state) == dict.fromkeys(_gold(project), "red")
    assert project.config.gold_per_query == 1
    run(project, Oracle(truth))
    assert project.state.n_paid == 90


def test_the_same_journal_folds_to_the_same_state(make, table, truth):
    project = make(gold=table, gold_per_query=2)
    run(project, People(truth, CLASSES, 0.3, 2))
    again = State()
    fold(again, project._logbook.events())
    for name in ("gold", "labels", "opinions", "paid", "queried"):
        assert getattr(again, name) == getattr(project.state, name)


def test_audit_answers_decide_nothing_of_which_gold_is_asked(make, table, truth):
    asked = []
    for name in ("honest", "lying"):
        project = make(name, gold=table, gold_per_query=3)
        people = People(truth, CLASSES, 0.2, 2)
        while query := project.ask():
            answers = people.annotate(query)
            if name == "lying" and query.purpose == "audit":
                answers = [Annotation(a.sample_id, "red", a.annotator) for a in answers]
            project.tell(answers)
        asked.append([query.sample_ids for query in project.state.queries.values()])
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ("path,label\nnowhere.png,red", r"'nowhere\.png', which is none of the images"),
        ("sample_id,label\n{0},purple", "purple"),
        ("sample_id,label\n{0},red\n{0},blue", "two labels"),
        ("sample_id,label\n{0},", "no label"),
        ("sample_id,truth\n{0},red", "needs a column 'label'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_and_nothing_is_made(make, truth, tmp_path, lines, match):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(lines.format(min(truth)) + "\n")
    with pytest.raises(DataError, match=match):
        make(gold=wrong)
    assert not (tmp_path / "project" / "journal.db").exists()


def test_a_table_that_is_not_there_is_refused(make, tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        make(gold=tmp_path / "none.csv")
    with pytest.raises(DataError, match="is a folder, not a table"):
        make(gold=tmp_path)


def test_gold_may_be_of_no_class(make, truth, tmp_path):
    """Whether people say so of such an image is counted, too."""
    ids = sorted(truth)[:4]
    project = make(gold=_table(tmp_path / "gold.csv", dict.fromkeys(ids, NONE_OF_THESE)), gold_per_query=2)
    run(project, Oracle(truth))
    (row,) = people_table(project.state)
    assert (row["n_known"], row["n_known_right"]) == (4, 0)
    assert not set(ids) & set(project.learner.views.pool.ids(project.learner.views.training_rows(project.state)))


# -- later ---------------------------------------------------------------------------------------


def _trained_on(project):
    return project.state.query_of("initial").sample_ids


def test_later_gold_shows_what_people_said_before_and_corrects_their_labels(make, truth, tmp_path):
    project = make()
    first = project.ask()
    project.tell(Annotation(i, "red", "ann") for i in first.sample_ids)
    project.tell(Annotation(i, truth[i], "bob") for i in project.ask().sample_ids)
    before, n_paid = project.state.seq, project.state.n_paid
    assert project.add_gold(_table(tmp_path / "gold.csv", {i: truth[i] for i in first.sample_ids})) == 10
    state = project.state
    assert (state.seq, state.n_paid) == (before + 1, n_paid)
    table = {row["annotator"]: row for row in people_table(state)}
    n_red = sum(truth[i] == "red" for i in first.sample_ids)
    assert (table["ann"]["n_known"], table["ann"]["n_known_right"]) == (10, n_red)
    assert {i: state.labels[i].label for i in first.sample_ids} == {i: truth[i] for i in first.sample_ids}
    run(project, Oracle(truth))
    assert recertify(project.folder).agrees


def test_once_the_audit_is_drawn_open_and_audited_images_come_too_late(make, truth, tmp_path):
    project = make()
    project.tell(Oracle(truth).annotate(project.ask()))
    audit = project.ask()
    assert audit.purpose == "audit"
    others = next(i for i in truth if i not in project.state.queried and i not in project.state.audit)
    for late in (audit.sample_ids[0], others):
        with pytest.raises(ProjectError, match="1 of 2 gold images come too late"):
            project.add_gold(_table(tmp_path / "gold.csv", {i: truth[i] for i in (late, _trained_on(project)[0])}))
    assert not project.state.gold


def test_gold_can_be_corrected_with_a_table_and_by_no_answer(make, table, truth, tmp_path):
    project = make(gold=table)
    one = _gold(project)[0]
    with pytest.raises(ProjectError, match="is gold and nobody was asked"):
        project.tell([Annotation(one, "red", "gold")])
    wrong = next(name for name in CLASSES if name != truth[one])
    run(project, Oracle(truth))
    project.add_gold(_table(tmp_path / "more.csv", {one: wrong}))
    assert project.state.labels[one].label == wrong


def test_an_answer_by_somebody_who_is_called_gold_is_an_answer(make, table, truth):
    project = make(gold=table, gold_per_query=2)
    while (query := project.ask()).purpose != "opinion":
        project.tell([Annotation(i, truth[i], "gold") for i in query.sample_ids])
    one = query.sample_ids[0]
    wrong = next(name for name in CLASSES if name != truth[one])
    project.tell([Annotation(one, wrong, "gold")])
    assert project.state.labels[one].label == truth[one]
    assert [answer.label for answer in project.state.answers_of(one)] == [truth[one], wrong]


def test_a_skipped_and_an_undone_test_leave_the_truth(make, table, truth):
    project = make(gold=table, gold_per_query=2)
    while (query := project.ask()).purpose != "opinion":
        project.tell(Oracle(truth).annotate(query))
    one, two = query.sample_ids
    project.skip(one)
    project.tell([Annotation(two, "red", "ann")])
    project.undo(two)
    assert (project.state.labels[one].label, project.state.labels[two].label) == (truth[one], truth[two])
    assert project.ask().sample_ids == (two,)


# -- people do not see what is gold --------------------------------------------------------------


def test_people_meet_gold_among_other_images_and_without_help(make, table, truth):
    """In the queue a test stands anywhere among the images that it was asked with."""
    project = make(gold=table, gold_per_query=4, batch=30, budget=170)
    places, desk = [], Desk(project)
    while query := project.ask():
        if query.purpose == "opinion":
            items = [item.sample_id for item in desk.claim(Seat("new", "page"), 1000)]
            places += [place for place, i in enumerate(items) if i in project.state.gold]
            assert not any(i in desk.guesses.of(project.state, items) for i in project.state.gold)
        project.tell(People(truth, CLASSES, 0.1, 3).annotate(Query(0, "round", 0, query.sample_ids, query.not_by)))
    assert len(places) >= 8
    assert max(places) - min(places) > 10
    assert np.mean(places) > 4


# -- the certificate -----------------------------------------------------------------------------


def test_the_audit_is_a_uniform_sample_of_the_images_that_are_not_gold(make, table, monkeypatch):
    project = make(gold=table)
    seeds = iter(range(10**6))
    monkeypatch.setattr("budgetal.choosing.generator", lambda *_: np.random.default_rng([2, next(seeds)]))
    n, n_runs, counts = len(project.samples), 2000, np.zeros(len(project.samples))
    others = np.setdiff1d(np.arange(n), project.learner.pool.rows(_gold(project)))
    proposals = Proposals(np.zeros(n, np.int64), np.full(n, 0.9, np.float32))
    for _ in range(n_runs):
        state = State(config=project.config, n_samples=n)
        labels = {i: project.state.labels[i].label for i in _gold(project)}
        fold(state, [Event(1, 0.0, "gold_given", {"labels": labels, "annotator": "gold"}, None)])
        state.audit = dict.fromkeys(project.learner.pick(state, "audit", 30, 0).sample_ids)
        rests_on = evidence(state, project.learner.pool, proposals)
        assert (rests_on.open_rows == others).all()
        counts[rests_on.audit.rows] += 1
    share = 30 / len(others)
    z = (counts[others] - n_runs * share) / np.sqrt(n_runs * share * (1 - share))
    assert np.abs(z).max() < 4.5
    assert counts.sum() == counts[others].sum() == n_runs * 30


def _broken(*, is_late):
    """Share of runs whose promise is false. Of 1,500 images 9 % are wrong; the owner takes 700 right ones for gold.

    What is left has 16.25 % wrong, where 16 % are tolerated: no certificate of all of it would be true.
    """
    rng, n_runs, broken = np.random.default_rng(0), 300, 0
    for _ in range(n_runs):
        truth = (rng.permutation(1500) < 130).astype(np.int64)
        proposals = Proposals(np.zeros(1500, np.int64), rng.uniform(0.95, 1, 1500).astype(np.float32))
        right, everything = np.flatnonzero(truth == 0), np.arange(1500)
        if is_late:
            audit = rng.choice(everything, 150, replace=False)
            gold = rng.choice(np.setdiff1d(right, audit), 700, replace=False)
        else:
            gold = rng.choice(right, 700, replace=False)
            audit = rng.choice(np.setdiff1d(everything, gold), 150, replace=False)
        audit = np.sort(audit)
        labels = auto_label(proposals, np.setdiff1d(everything, gold), Audit(audit, truth[audit]), 0.16, 0.1)
        if labels.certificate is not None:
            broken += (truth[labels.rows] != 0).mean() > labels.certificate.upper_bound
    return binomtest(int(broken), n_runs, 0.1, alternative="greater"), broken / n_runs


def test_gold_that_is_known_before_the_audit_breaks_no_promise_however_it_was_chosen():
    test, _share = _broken(is_late=False)
    assert test.pvalue > 0.01


def test_gold_chosen_by_whoever_knows_the_audit_would_break_it():
    _test, share = _broken(is_late=True)
    assert share > 0.2


# -- simulations ---------------------------------------------------------------------------------


def test_a_simulation_takes_gold_and_goes_on_with_the_same_only(images, table, truth, tmp_path):
    settings = {**SETTINGS, "noise": 0.3, "n_annotators": 2}
    report = simulate(str(images), tmp_path / "run", gold=table, **settings)
    assert report["n_gold_images"] == 12
    assert sum(row["n_known"] for row in report["annotators"]) >= 4
    assert simulate(str(images), tmp_path / "run", gold=table, **settings)["annotators"] == report["annotators"]
    other = _table(tmp_path / "other.csv", {min(truth): truth[min(truth)]})
    for wrong in (None, other):
        with pytest.raises(ProjectError, match="other gold images"):
            simulate(str(images), tmp_path / "run", gold=wrong, **settings)
