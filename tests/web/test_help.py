"""The model's help over HTTP: what is told of images that may be helped, and that of audit images nothing is."""

import pytest

from budgetal.annotators.oracle import Oracle
from budgetal.blindness import may_be_helped
from budgetal.simulate import true_labels


@pytest.fixture
def oracle(project):
    return Oracle(true_labels(project))


@pytest.fixture
def with_model(project, oracle):
    """The project when its first round's query is open; which of it may be helped."""
    for _ in range(2):
        project.tell(oracle.annotate(project.ask()))
    query = project.ask()
    return [i for i in query.sample_ids if may_be_helped(project.state, i, query.query_id)]


def grid(client, n=4, besides=(), name="page-1"):
    return client.post("/api/v1/grids", json={"client": name, "n": n, "besides": list(besides)}).json()


def guesses_of(client, n, **more):
    reply = client.post("/api/v1/claims", json={"client": "page-1", "n": n, **more}).json()
    return {item["sample_id"]: reply["guesses"].get(item["sample_id"]) for item in reply["items"]}


def test_guesses_come_when_asked_for_and_for_helped_images_only(anna, with_model):
    assert set(guesses_of(anna, 5).values()) == {None}
    for sample_id, guess in guesses_of(anna, 5, help=True).items():
        assert (guess is not None) == (sample_id in with_model)


def test_a_grid_is_claimed_accepted_and_recorded_as_shown(anna, project, with_model):
    reply = grid(anna)
    while not reply["is_grid"]:
        for item in reply["items"]:
            body = {"client": "page-1", "sample_id": item["sample_id"], "token": item["token"]}
            anna.post("/api/v1/labels", json={**body, "label": "red", "key": item["sample_id"]})
        reply = grid(anna)
    for item in reply["items"]:
        body = {"client": "page-1", "sample_id": item["sample_id"], "token": item["token"]}
        guess = reply["guesses"][item["sample_id"]]["label"]
        answer = {**body, "label": "red", "key": item["sample_id"], "suggestion": guess}
        for _ in range(2):
            assert anna.post("/api/v1/labels", json=answer).status_code == 200
        assert project.state.labels[item["sample_id"]].suggestion == guess


def test_of_an_audit_image_neither_grid_nor_claim_nor_reason_tells_anything(anna, project, oracle):
    project.tell(oracle.annotate(project.ask()))
    audit = project.ask()
    assert audit.purpose == "audit"
    reply = grid(anna)
    assert (reply["is_grid"], reply["guesses"], len(reply["items"])) == (False, {}, 4)
    assert set(guesses_of(anna, 5, help=True).values()) == {None}
    told = anna.get(f"/api/v1/reasons/{audit.sample_ids[0]}").json()
    assert set(told) == {"is_blind", "note"}


def test_an_ordinary_image_that_is_kept_blind_is_told_of_in_the_same_words_as_an_audit_image(anna, project, oracle):
    project.tell(oracle.annotate(project.ask()))
    of_audit = anna.get(f"/api/v1/reasons/{project.ask().sample_ids[0]}").json()
    project.tell(oracle.annotate(project.ask()))
    query = project.ask()
    kept = [i for i in query.sample_ids if not may_be_helped(project.state, i, query.query_id)]
    for sample_id in kept:
        assert anna.get(f"/api/v1/reasons/{sample_id}").json() == of_audit


def test_a_reason_has_measures_guesses_and_neighbours_with_labels(anna, project, with_model):
    told = anna.get(f"/api/v1/reasons/{with_model[0]}").json()
    assert (told["is_blind"], told["strategy"], told["round"]) == (False, "informative", 1)
    assert len(told["neighbours"]) == 5
    assert all(one["label"] == project.state.labels[one["sample_id"]].label for one in told["neighbours"])


def test_a_reason_is_given_for_open_images_only(anna):
    assert anna.get(f"/api/v1/reasons/{'0' * 32}").status_code == 404
    assert anna.get("/api/v1/reasons/..%2f..").status_code in (404, 422)


@pytest.mark.parametrize("body", [{"n": 17}, {"n": -1}, {"besides": ["x"]}, {"besides": ["0" * 32] * 257}, {"size": 3}])
def test_a_wrong_wish_for_a_grid_is_refused(anna, body):
    assert anna.post("/api/v1/grids", json={"client": "page-1", **body}).status_code == 422


def test_a_broken_image_is_recorded_as_such(anna, project):
    (item,) = anna.post("/api/v1/claims", json={"client": "page-1", "n": 1}).json()["items"]
    body = {"client": "page-1", "sample_id": item["sample_id"], "token": item["token"]}
    assert anna.post("/api/v1/skips", json={**body, "broken": True}).status_code == 200
    project.catch_up()
    assert project.state.broken == {item["sample_id"]}


def test_the_outlook_says_why_there_is_none_and_follows_the_rounds(anna, project, oracle):
    assert anna.get("/api/v1/outlook").json()["next"] is None
    while (query := project.ask()) and len(project.state.rounds) < 3:
        project.tell(oracle.annotate(query))
    found = anna.get("/api/v1/outlook").json()
    assert found["reason"] is None
    assert 0.3 < found["next"]["accuracy"] <= 1
