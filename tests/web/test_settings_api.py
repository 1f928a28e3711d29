"""What owners decide over HTTP, that nobody else may, and that wrong requests change nothing."""

import csv
import io
import re

import pytest

from budgetal.client import Client
from budgetal.config import Config
from budgetal.rounds import BESIDE_THE_RUN
from budgetal.steering import GROUPS, Steering
from budgetal.validation import FIXED
from budgetal.web.roles import Role


@pytest.fixture
def owner(stranger, sessions):
    stranger.headers["authorization"] = f"Bearer {sessions.token('olga', Role.OWNER)}"
    return stranger


def post(client, path, body=None):
    return client.post(f"/api/v1/{path}", json=body if body is not None else {})


def change(client, **changes):
    return post(client, "settings", {"changes": changes})


def test_every_setting_is_shown_and_those_that_can_change_are_grouped(project):
    found = {setting.name: setting for setting in Steering(project).settings()}
    assert set(found) == set(Config.model_fields)
    assert {name for group in GROUPS.values() for name in group} == set(Config.model_fields) - FIXED
    assert {name for name, setting in found.items() if setting.why_fixed} == FIXED
    assert (found["budget"].kind, found["budget"].value, found["budget"].is_optional) == ("integer", 60, False)
    assert (found["budget_money"].kind, found["budget_money"].is_optional) == ("number", True)
    assert "random" in found["strategy"].choices
    assert found["outliers"].choices == ("auto", "off")


def test_a_change_is_an_event_with_the_owners_name(owner, project):
    assert change(owner, budget=70, strategy="margin", budget_money=100.5).status_code == 200
    project.catch_up()
    assert (project.config.budget, project.config.strategy, project.config.budget_money) == (70, "margin", 100.5)
    (event,) = [event for event in project.logbook.events() if event.kind == "configured"]
    assert event.data["annotator"] == "olga"
    assert project.state.replanned is False


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"budget": "many"}, "budget"),
        ({"budget": 0}, "budget"),
        ({"tolerance": 0.5}, "void the certificate"),
        ({"classes": ["a", "b"]}, "budgetal classes"),
        ({"cost_per_label": 2}, "have been paid"),
        ({"strategy": "margn"}, "did you mean"),
        ({"annotator": "mallory"}, "Unknown setting"),
        ({"self": 1}, "Unknown setting"),
        ({"budget": 80, "seed": 1}, "seed"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_whole(owner, project, changes, word):
    before = project.config
    reply = change(owner, **changes)
    assert reply.status_code == 400, reply.text
    assert word in reply.json()["message"]
    project.catch_up()
    assert project.config == before


def test_classes_are_added_renamed_and_merged(owner, project):
    assert [row["name"] for row in owner.get("/api/v1/classes").json()] == ["blue", "green", "red", "none of these"]
    assert post(owner, "classes", {"change": "rename", "names": ["red", "scarlet"]}).status_code == 200
    assert post(owner, "classes", {"change": "add", "names": ["violet"]}).status_code == 200
    found = post(owner, "classes", {"change": "merge", "names": ["scarlet", "violet"]}).json()
    assert [row["name"] for row in found["classes"]] == ["blue", "green", "violet", "none of these"]
    assert owner.get("/api/v1/project").json()["classes"] == ["blue", "green", "violet"]
    changes = [event.data for event in project.logbook.events() if event.kind == "classes_changed"]
    assert {data["annotator"] for data in changes} == {"olga"}


def test_an_annotators_page_with_the_old_list_loses_no_answer(owner, project):
    (item,) = post(owner, "claims", {"client": "page", "n": 1}).json()["items"]
    post(owner, "classes", {"change": "rename", "names": ["red", "scarlet"]})
    answer = {"client": "page", **item, "label": "red", "key": "k"}
    for _ in range(2):
        assert post(owner, "labels", answer).status_code == 200
    assert project.state.labels[item["sample_id"]].label == "scarlet"


def test_what_was_none_of_the_classes_is_asked_again_for_a_new_one(owner, project):
    items = post(owner, "claims", {"client": "page", "n": 2}).json()["items"]
    for item, label in zip(items, ("none of these", "red"), strict=True):
        post(owner, "labels", {"client": "page", **item, "label": label, "key": item["sample_id"]})
    body = {"change": "add", "names": ["violet"], "ask_again": True}
    assert post(owner, "classes", body).json()["n_asked_again"] == 1
    assert items[0]["sample_id"] in project.state.open_items
    assert project.state.n_paid == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"change": "drop", "names": ["red"]}, 422),
        ({"change": "add", "names": []}, 422),
        ({"change": "add", "names": ["red"]}, 400),
        ({"change": "merge", "names": ["red"]}, 400),
        ({"change": "rename", "names": ["rde", "x"]}, 400),
        ({"change": "add", "names": ["a\nb"]}, 400),
    ],
)
def test_a_class_change_that_does_not_fit_is_refused(owner, project, body, status):
    assert post(owner, "classes", body).status_code == status
    assert project.config.classes == ("blue", "green", "red")


def test_pause_go_on_and_end(owner, project):
    assert post(owner, "pause").json()["standing"]["paused"] is True
    assert post(owner, "claims", {"client": "page", "n": 1}).json()["items"] == []
    assert post(owner, "resume").json()["standing"]["paused"] is False
    assert len(post(owner, "claims", {"client": "page", "n": 1}).json()["items"]) == 1
    for _ in range(2):
        assert post(owner, "stop").json()["standing"]["stop_reason"] == "stopped by hand"
    assert [event.kind for event in project.logbook.events()].count("stopped") == 1
    assert post(owner, "resume").json()["standing"]["stop_reason"] is None


def test_labels_are_taken_home_as_files(owner, project):
    (item,) = post(owner, "claims", {"client": "page", "n": 1}).json()["items"]
    post(owner, "labels", {"client": "page", **item, "label": "red", "key": "k"})
    reply = owner.get("/api/v1/export?format=csv")
    assert reply.headers["content-disposition"] == 'attachment; filename="birds-labels.csv"'
    (row,) = csv.DictReader(io.StringIO(reply.text))
    assert (row["sample_id"], row["label"], row["annotator"]) == (item["sample_id"], "red", "olga")
    assert owner.get("/api/v1/export?format=parquet").content.startswith(b"PAR1")
    assert owner.get("/api/v1/export?format=../../etc").status_code == 422
    assert owner.get("/api/v1/report").status_code == 404
    (project.folder / "report.html").write_text("<script>alert(1)</script>")
    reply = owner.get("/api/v1/report")
    assert reply.headers["content-disposition"].startswith("attachment")
    assert reply.headers["content-type"] == "application/octet-stream"


def test_the_client_has_a_method_for_each_decision(owner, project, monkeypatch):
    client = Client("http://127.0.0.1:8000", "token")

    def asked(path, body=None):
        reply = owner.get(f"/api/v1{path}") if body is None else owner.post(f"/api/v1{path}", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    monkeypatch.setattr(client._server, "json", asked)
    client.configure(budget=75)
    client.change_classes("rename", "red", "scarlet")
    client.pause()
    client.resume()
    client.stop()
    project.catch_up()
    assert {setting["name"]: setting["value"] for setting in client.settings()}["budget"] == 75
    assert [row["name"] for row in client.classes()][2] == "scarlet"
    assert project.state.stop_reason is not None


def test_the_page_says_which_changes_under_way_choose_no_end(owner):
    page = " ".join(owner.get("/settings").text.split())
    (named,) = re.findall("Not so for (.*?), which decide nothing", page)
    assert set(named.split(", ")) == BESIDE_THE_RUN
    assert set(Config.model_fields) - FIXED >= BESIDE_THE_RUN
