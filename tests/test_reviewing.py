"""Reviews of automatic labels: pages, what people say, and that no model, query or audit ever hears of it."""

import numpy as np
import pytest

from budgetal import review_looks
from budgetal.annotators.oracle import Oracle
from budgetal.errors import BudgetError, ConfigError, DataError, ProjectError
from budgetal.recertify import recertify
from budgetal.review_pages import Wanted
from budgetal.reviewing import Reviewing
from budgetal.simulate import run, true_labels
from budgetal.types import NONE_OF_THESE, Annotation

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}
EVERYTHING = Wanted(show="all")


def ids(page):
    return [item.sample_id for item in page.items]


def walk(reviewing, wanted, n=7):
    """All positions of a list, page by page."""
    found, after = [], -1
    while True:
        page = reviewing.page(wanted, n, "anna", after)
        found += [item.position for item in page.items]
        if not page.has_more:
            return found
        after = page.items[-1].position


def test_the_least_confident_labels_come_first_and_no_audit_image_is_among_them(finished):
    reviewing, state = Reviewing(finished), finished.state
    page = reviewing.page(EVERYTHING, 500, "anna")
    scores = [item.score for item in page.items]
    assert scores == sorted(scores)
    rows, targets = finished.learner.auto_labels(state)
    assert set(ids(page)) == set(finished.learner.pool.ids(rows))
    assert not set(ids(page)) & (set(state.audit) | set(state.labels))
    names = dict(zip(finished.learner.pool.ids(rows), np.array(finished.config.classes)[targets], strict=True))
    assert {item.sample_id: item.automatic for item in page.items} == names


def test_pages_forwards_and_backwards_pass_every_image_once_whatever_is_reviewed_meanwhile(finished):
    reviewing = Reviewing(finished)
    n = len(reviewing.page(EVERYTHING, 500, "anna").items)
    assert walk(reviewing, EVERYTHING) == list(range(n))
    first = reviewing.page(Wanted(), 7, "anna")
    reviewing.review([Annotation(i, "red", "anna") for i in ids(first)])
    assert [item.position for item in reviewing.page(Wanted(), 7, "anna", after=6).items] == list(range(7, 14))
    assert walk(reviewing, Wanted()) == list(range(7, n))
    assert walk(reviewing, Wanted(show="reviewed")) == list(range(7))
    back = reviewing.page(EVERYTHING, 5, "anna", before=9)
    assert ([item.position for item in back.items], back.has_more) == ([4, 5, 6, 7, 8], True)
    assert not reviewing.page(EVERYTHING, 5, "anna", before=5).has_more


def test_one_class_at_a_time(finished):
    reviewing = Reviewing(finished)
    counts = reviewing.classes("anna")
    for name, n in counts.items():
        page = reviewing.page(Wanted(label=name), 500, "anna")
        assert {item.automatic for item in page.items} <= {name}
        assert len(page.items) == n
    with pytest.raises(DataError, match="blue"):
        reviewing.page(Wanted(label="bleu"), 5, "anna")


def test_what_the_labelled_neighbours_doubt_comes_first(finished):
    items = Reviewing(finished).page(Wanted(order="disagreement", show="all"), 500, "anna").items
    assert [item.support for item in items] == sorted(item.support for item in items)
    assert {item.nearest for item in items} <= set(finished.config.classes)


def test_a_correction_is_a_persons_label_with_their_name_and_its_price(finished):
    reviewing = Reviewing(finished)
    first, second = reviewing.page(Wanted(), 2, "anna").items
    other = next(name for name in finished.config.classes if name != second.automatic)
    reviewing.review([Annotation(first.sample_id, first.automatic, "anna"), Annotation(second.sample_id, other, "ben")])
    rows = {row.sample_id: row for row in finished.label_rows()}
    row = rows[second.sample_id]
    assert (row.label, row.provenance, row.annotator) == (other, "human (review)", "ben")
    assert rows[first.sample_id].label == first.automatic
    assert finished.state.ledger.reviewed_money == 2
    assert finished.state.ledger.spent == 60
    report = finished.write_outputs()
    assert (report["n_reviewed_labels"], report["n_auto_labels"]) == (2, finished.state.auto.n - 2)
    assert report["n_unlabelled"] == sum(row.provenance == "predicted" for row in rows.values())
    after = report["certificate_after_review"]
    allowed = int(finished.state.certificate.upper_bound * finished.state.auto.n + 1e-9)
    assert (after["n_reviewed"], after["n_corrected"], after["most_wrong"]) == (2, 1, allowed - 1)
    assert recertify(finished.folder).agrees


def test_a_review_is_taken_back_by_whoever_gave_it(finished):
    reviewing = Reviewing(finished)
    (item,) = reviewing.page(Wanted(), 1, "anna").items
    reviewing.review([Annotation(item.sample_id, "red", "anna"), Annotation(item.sample_id, "blue", "ben")])
    assert ids(reviewing.page(Wanted(show="disputed"), 9, "anna")) == [item.sample_id]
    reviewing.take_back([item.sample_id], "ben")
    reviewing.take_back([item.sample_id], "ben")
    assert finished.state.reviews.of(item.sample_id).label == "red"
    assert not reviewing.page(Wanted(show="disputed"), 9, "anna").items
    reviewing.take_back([item.sample_id], "anna")
    assert item.sample_id not in finished.state.reviews
    assert ids(reviewing.page(Wanted(), 1, "anna")) == [item.sample_id]


def test_a_repeated_review_counts_once_and_another_under_its_key_is_refused(finished):
    reviewing = Reviewing(finished)
    (item,) = reviewing.page(Wanted(), 1, "anna").items
    for _ in range(2):
        reviewing.review([Annotation(item.sample_id, "red", "anna", "k")])
    with pytest.raises(ProjectError, match="another review"):
        reviewing.review([Annotation(item.sample_id, "blue", "anna", "k")])
    assert finished.state.reviews.n_given == 1


def test_none_of_these_is_a_correction(finished):
    reviewing = Reviewing(finished)
    (item,) = reviewing.page(Wanted(), 1, "anna").items
    reviewing.review([Annotation(item.sample_id, NONE_OF_THESE, "anna")])
    assert finished.write_outputs()["certificate_after_review"]["n_corrected"] == 1


@pytest.mark.parametrize("which", ["audit", "labelled", "unknown"])
def test_only_automatic_labels_are_reviewed(finished, which):
    state = finished.state
    trained_on = next(i for i in state.labels if i not in state.audit)
    sample_id = {"audit": next(iter(state.audit)), "labelled": trained_on, "unknown": "0" * 32}[which]
    expected = DataError if which == "unknown" else ProjectError
    with pytest.raises(expected):
        Reviewing(finished).review([Annotation(sample_id, "red", "anna")])
    assert not state.reviews


def test_a_wrong_class_records_nothing_of_the_whole_page(finished):
    reviewing = Reviewing(finished)
    first, second = ids(reviewing.page(Wanted(), 2, "anna"))
    with pytest.raises(DataError, match="red"):
        reviewing.review([Annotation(first, "red", "anna"), Annotation(second, "rde", "anna")])
    assert not finished.state.reviews


def test_reviews_have_a_purse_of_their_own(finished):
    finished.configure(review_budget=2)
    reviewing = Reviewing(finished)
    some = ids(reviewing.page(Wanted(), 3, "anna"))
    with pytest.raises(BudgetError, match="review_budget"):
        reviewing.review([Annotation(i, "red", "anna") for i in some])
    reviewing.review([Annotation(i, "red", "anna") for i in some[:2]])
    # A changed mind is the same review.
    reviewing.review([Annotation(some[0], "blue", "anna")])
    assert finished.state.ledger.available == 0


def test_money_for_reviews_is_what_asking_cannot_use(make):
    project = make(budget_money=61.0)
    run(project, Oracle(true_labels(project)))
    reviewing = Reviewing(project)
    some = ids(reviewing.page(Wanted(), 2, "anna"))
    with pytest.raises(BudgetError, match="budget_money"):
        reviewing.review([Annotation(i, "red", "anna") for i in some])
    reviewing.review([Annotation(some[0], "red", "anna")])


def test_nothing_is_shown_before_the_audit_is_drawn_to_its_end(make):
    project = make(last_audit=10)
    oracle = Oracle(true_labels(project))
    while project.state.auto is None or not project.state.auto.n:
        project.tell(oracle.annotate(project.ask()))
        project.ask()
    with pytest.raises(ProjectError, match="10 images are still to be drawn"):
        Reviewing(project).page(Wanted(), 5, "anna")
    assert not project.state.reviews.were_shown
    run(project, oracle)
    assert Reviewing(project).page(Wanted(), 5, "anna").items


def test_once_labels_were_shown_no_audit_can_be_drawn(finished):
    Reviewing(finished).page(Wanted(), 1, "anna")
    for changes in ({"last_audit": 10, "budget": 80}, {"audit": 40, "budget": 80}):
        with pytest.raises(ConfigError, match="would not be blind"):
            finished.configure(**changes)
    finished.configure(budget=80)


def test_no_automatic_label_is_shown_before_there_is_one(make):
    with pytest.raises(ProjectError, match="yet"):
        Reviewing(make()).page(Wanted(), 5, "anna")


def test_an_image_that_is_asked_meanwhile_is_no_longer_shown(finished):
    reviewing = Reviewing(finished)
    before = set(ids(reviewing.page(EVERYTHING, 500, "anna")))
    finished.configure(budget=80)
    asked = set(finished.ask().sample_ids)
    assert set(ids(reviewing.page(EVERYTHING, 500, "anna"))) == before - asked


def events_of_a_run(make, name, is_reviewed):
    """All that a run writes but reviews, where a reviewer accepts some labels and corrects others after each round."""
    project = make(name)
    oracle, truth = Oracle(true_labels(project)), true_labels(project)
    reviewing = Reviewing(project)
    while query := project.ask():
        if is_reviewed and project.state.auto and project.state.auto.n:
            items = reviewing.page(Wanted(), 15, "anna").items
            said = [Annotation(one.sample_id, truth[one.sample_id], "anna") for one in items[::2]]
            wrong = [Annotation(one.sample_id, "blue", "anna") for one in items[1::2]]
            reviewing.review(said + wrong)
        project.tell(oracle.annotate(query))
    kinds = {"reviewed", "labels_shown"}
    events = [event for event in project.logbook.events() if event.kind not in kinds]
    assert bool(project.state.reviews) == is_reviewed
    return [(event.kind, comparable(event.data)) for event in events], project


def comparable(data):
    return {name: value for name, value in data.items() if name not in ("seconds", "up_to_seq")}


def test_no_model_query_or_audit_hears_of_a_review(make):
    without, _ = events_of_a_run(make, "without", is_reviewed=False)
    reviewed, project = events_of_a_run(make, "with", is_reviewed=True)
    assert reviewed == without
    assert recertify(project.folder).agrees


def test_money_that_reviews_took_is_not_asked_for_again(finished):
    project = finished
    project.configure(budget_money=65.0)
    run(project, Oracle(true_labels(project)))
    page = Reviewing(project).page(EVERYTHING, 5, "anna")
    Reviewing(project).review([Annotation(item.sample_id, "red", "anna") for item in page.items])
    with pytest.raises(ConfigError, match="budget_money"):
        project.configure(budget=65)
    assert project.config.budget == 60
    project.configure(budget=65, budget_money=70.0)
    assert project.state.ledger.available == 5


def test_a_list_that_was_made_while_the_classes_changed_is_not_shown(finished, monkeypatch):
    """Its numbers would name other classes, and be reviewed as these."""
    merge = [("merge", "blue", "green")]
    made = review_looks.prepare_disagreement

    def made_slowly(*given):
        prepared = made(*given)

        def make():
            if merge:
                finished.change_classes(*merge.pop())
            return prepared()

        return make

    monkeypatch.setattr(review_looks, "prepare_disagreement", made_slowly)
    with pytest.raises(ProjectError, match="No image is labelled automatically"):
        Reviewing(finished).page(Wanted(order="disagreement"), 5, "anna")
