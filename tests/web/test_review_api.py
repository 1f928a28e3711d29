"""Reviews over HTTP: who may, what is shown, what is recorded, and that repeats and wrong requests break nothing."""

import pytest
from starlette.testclient import TestClient

from budgetal.desk import Desk
from budgetal.project import Project
from budgetal.web import Sessions, make_app
from budgetal.web.roles import Role

HOST = "127.0.0.1:8000"
SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


@pytest.fixture
def project(finished):
    return finished


@pytest.fixture
def anna(app, sessions):
    """A reviewer's program."""
    with TestClient(app, base_url=f"http://{HOST}", follow_redirects=False) as client:
        client.headers["authorization"] = f"Bearer {sessions.token('anna', Role.REVIEWER)}"
        yield client


def page(client, **wanted):
    reply = client.get("/api/v1/review", params=wanted)
    assert reply.status_code == 200, reply.text
    return reply.json()


def say(client, labels, key="k"):
    reviews = [{"sample_id": sample_id, "label": label} for sample_id, label in labels.items()]
    return client.post("/api/v1/reviews", json={"reviews": reviews, "key": key})


def test_labels_are_listed_corrected_and_taken_back(anna, project):
    first, second = page(anna, n=2)["items"]
    other = next(name for name in project.config.classes if name != first["automatic"])
    progress = say(anna, {first["sample_id"]: other, second["sample_id"]: second["automatic"]}).json()
    assert (progress["n_reviewed"], progress["remaining"]["n_corrected"]) == (2, 1)
    assert project.state.reviews.of(first["sample_id"]).annotator == "anna"
    assert page(anna, show="reviewed")["items"][0]["review"] == {"label": other, "annotator": "anna"}
    ids = {"sample_ids": [first["sample_id"]]}
    for _ in range(2):
        assert anna.post("/api/v1/reviews/undos", json=ids).json()["n_reviewed"] == 1
    assert page(anna, n=1)["items"][0]["sample_id"] == first["sample_id"]


def test_pages_hold_no_audit_image_and_go_back_and_forth(anna, project):
    everything = page(anna, show="all", n=200)
    ids = [item["sample_id"] for item in everything["items"]]
    assert not set(ids) & set(project.state.audit)
    assert [item["sample_id"] for item in page(anna, after=2, n=3)["items"]] == ids[3:6]
    assert [item["sample_id"] for item in page(anna, before=3, n=2)["items"]] == ids[1:3]
    counts = {one["label"]: one["n"] for one in anna.get("/api/v1/review/classes").json()}
    assert sum(counts.values()) == len(ids) == everything["progress"]["n"]


def test_a_repeated_review_counts_once(anna, project):
    (item,) = page(anna, n=1)["items"]
    for _ in range(3):
        assert say(anna, {item["sample_id"]: "red"}).status_code == 200
    assert say(anna, {item["sample_id"]: "blue"}).status_code == 409
    assert project.state.reviews.n_given == 1


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        ({}, 422),
        ({"0" * 32: "red"}, 404),
        ({"../../etc/passwd": "red"}, 422),
        ({"AUDIT": "red"}, 409),
        ({"ITEM": "x"}, 404),
    ],
)
def test_a_wrong_review_is_refused(anna, project, labels, status):
    real = {"AUDIT": next(iter(project.state.audit)), "ITEM": page(anna, n=1)["items"][0]["sample_id"]}
    assert say(anna, {real.get(i, i): label for i, label in labels.items()}).status_code == status
    assert not project.state.reviews


@pytest.mark.parametrize("wanted", [{"order": "luck"}, {"n": 0}, {"n": 10**6}, {"after": -2}, {"show": "secret"}])
def test_a_wrong_page_is_refused(anna, wanted):
    assert anna.get("/api/v1/review", params=wanted).status_code == 422


def test_an_annotator_sees_no_automatic_label(anna, sessions, project):
    anna.headers["authorization"] = f"Bearer {sessions.token('ben', Role.ANNOTATOR)}"
    assert anna.get("/api/v1/review").status_code == 403
    assert anna.get("/review").status_code == 403
    assert say(anna, {"0" * 32: "red"}).status_code == 403
    assert not project.state.reviews.were_shown


def test_before_there_are_automatic_labels_the_page_says_so(images, tmp_path):
    project = Project.create(tmp_path / "new", images=str(images), **SETTINGS)
    sessions = Sessions(project.folder, "s" * 64, project.logbook)
    with TestClient(make_app(Desk(project), sessions, [f"http://{HOST}"]), base_url=f"http://{HOST}") as client:
        client.headers["authorization"] = f"Bearer {sessions.token('anna', Role.OWNER)}"
        reply = client.get("/api/v1/review")
    assert (reply.status_code, reply.json()["error"]) == (409, "conflict")
    assert "yet" in reply.json()["message"]
    project.close()
