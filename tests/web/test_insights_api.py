"""What the live page tells beyond the charts, and to whom."""

from dataclasses import replace

import pytest

from budgetal.simulate import true_labels
from budgetal.types import Annotation
from budgetal.web.insights import Paces
from budgetal.web.roles import Role
from budgetal.web.standing import standing


@pytest.fixture
def advanced(project):
    """Two rounds are over; anna and ben answered."""
    truth = true_labels(project)
    while len(project.state.rounds) < 2:
        ids = project.ask().sample_ids
        project.tell([Annotation(i, truth[i], ("anna", "ben")[k % 2]) for k, i in enumerate(ids)])
    return project


@pytest.fixture
def waiting(project):
    """One round is over, and the query after it has no answer yet."""
    truth = true_labels(project)
    while (query := project.ask()) and not project.state.rounds:
        project.tell([Annotation(i, truth[i], "anna") for i in query.sample_ids])
    return project


@pytest.fixture
def reviewer(stranger, sessions):
    stranger.headers["authorization"] = f"Bearer {sessions.token('rita', Role.REVIEWER)}"
    return stranger


def test_before_the_first_round_there_is_little_to_tell(reviewer):
    assert sum(map(sum, reviewer.get("/api/v1/confusion").json()["counts"])) == 0
    assert reviewer.get("/api/v1/forecast").json()["figures"] == []
    assert len(reviewer.get("/api/v1/class-table").json()["rows"]) == 3
    assert {reviewer.get(f"/api/v1/{name}").json()["round"] for name in ("forecast", "class-table")} == {None}


def test_the_counts_of_the_matrix_open_as_many_images(reviewer, advanced):
    found = reviewer.get("/api/v1/confusion").json()
    n_open = 0
    for label, row in zip(found["classes"], found["counts"], strict=True):
        for guess, n in zip(found["classes"], row, strict=True):
            ids = reviewer.get("/api/v1/confusion/images", params={"label": label, "guess": guess}).json()
            assert len(ids) == n
            assert not set(ids) & set(advanced.state.audit)
            n_open += n
    assert n_open == 10


def test_people_have_answers_and_pace(reviewer, advanced):
    rows = {row["annotator"]: row for row in reviewer.get("/api/v1/paces").json()}
    answers = [label.annotator for label in advanced.state.labels.values()]
    assert {name: row["n_answers"] for name, row in rows.items()} == {name: answers.count(name) for name in rows}
    assert all(row["per_minute"] > 0 for row in rows.values())


def test_what_was_made_is_kept_until_something_changes(app, advanced):
    insights = app.state.site.insights
    kept = insights.lessons()
    assert insights.lessons() is kept
    advanced.undo(next(iter(advanced.state.labels)))
    assert insights.lessons() is not kept


@pytest.mark.parametrize("path", ["paces", "confusion", "confusion/images?label=red&guess=blue"])
def test_an_annotator_is_told_of_no_image_and_of_nobody(anna, path):
    assert anna.get(f"/api/v1/{path}").status_code == 403


@pytest.mark.parametrize(
    ("query", "status"), [("label=red&guess=mauve", 404), ("label=red", 422), ("label=&guess=red", 422)]
)
def test_other_classes_are_refused(reviewer, query, status):
    assert reviewer.get(f"/api/v1/confusion/images?{query}").status_code == status


def test_pace_is_that_of_the_last_ten_minutes():
    paces = Paces()
    for time_s in (0.0, 10.0, 5000.0, 5006.0, 5012.0):
        paces._note("anna", time_s)
    assert paces.per_minute("anna") == pytest.approx(10.0)
    assert paces.per_minute("nobody") is None


def test_labels_that_are_asked_for_are_left_in_the_forecast_as_in_the_tiles(app, waiting):
    n_left = standing(waiting.state, None).n_left
    assert n_left == 20
    assert len(waiting.state.open_items) == 10
    assert app.state.site.insights.forecast()["lines"][0].endswith(f"; {n_left} labels are left.")


def test_covered_is_what_the_last_look_counted_whatever_people_answer_since(waiting):
    truth, state = true_labels(waiting), waiting.state
    assert standing(state, None).coverage == state.rounds[-1].coverage
    state.auto = replace(state.auto, n=30)
    for sample_id in list(state.open_items):
        waiting.tell([Annotation(sample_id, truth[sample_id], "anna")])
        # An image that had been labelled automatically is not counted twice, nor looked up.
        assert standing(state, None).coverage == (40 + 30) / 90
