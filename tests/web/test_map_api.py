"""The map over HTTP: who is told what, and what is refused."""

import numpy as np
import pytest

from budgetal.mapping.drawing import draw
from budgetal.mapping.interest import is_looked_at
from budgetal.simulate import true_labels
from budgetal.types import Annotation
from budgetal.web.roles import Role

LOST = "points-" + 32 * "0" + ".npy"


@pytest.fixture
def mapped(project):
    """A project that has a model and a map."""
    truth = true_labels(project)
    while not project.state.rounds:
        project.tell([Annotation(i, truth[i], "carl") for i in project.ask().sample_ids])
    draw(project.folder)
    return project


def as_role(client, sessions, role):
    client.headers["authorization"] = f"Bearer {sessions.token('anna', role)}"
    return client


def columns(raw):
    n = len(raw) // 4
    return (
        np.frombuffer(raw[: 2 * n], "<u2"),
        np.frombuffer(raw[2 * n : 3 * n], "u1"),
        np.frombuffer(raw[3 * n :], "u1"),
    )


def test_before_the_first_model_there_is_none_and_looking_is_noted(anna, project):
    info = anna.get("/api/v1/map").json()
    assert (info["name"], info["can_be_drawn"], info["drawing"]) == (None, False, None)
    assert is_looked_at(project.logbook)


def test_points_are_places_and_ids_in_the_same_order(anna, mapped):
    info = anna.get("/api/v1/map").json()
    assert (info["n_points"], info["n_samples"], info["is_newest"]) == (90, 90, True)
    raw = anna.get("/api/v1/map/points", params={"name": info["name"]}).content
    places = np.frombuffer(raw[: 8 * 90], "<f4").reshape(90, 2)
    ids = [raw[8 * 90 + i * info["id_bytes"] :][: info["id_bytes"]].hex() for i in range(90)]
    assert np.isfinite(places).all()
    assert ids == [sample.sample_id for sample in mapped.samples]


def test_a_reviewer_is_told_all_and_an_annotator_only_the_own_answers(stranger, sessions, mapped):
    reviewer = as_role(stranger, sessions, Role.REVIEWER)
    name = reviewer.get("/api/v1/map").json()["name"]
    labels, givers, doubts = columns(reviewer.get("/api/v1/map/marks", params={"name": name}).content)
    assert (givers == 1).sum() == len(mapped.state.labels)
    assert (labels[givers == 1] < 3).all()
    assert (doubts[givers == 1] == 255).all()
    annotator = as_role(stranger, sessions, Role.ANNOTATOR)
    labels, givers, doubts = columns(annotator.get("/api/v1/map/marks", params={"name": name}).content)
    assert (labels == 0xFFFF).all()
    assert (givers == 0).all()
    assert (doubts == 255).all()


def test_points_never_change_and_marks_are_not_kept(anna, mapped):
    name = anna.get("/api/v1/map").json()["name"]
    assert "immutable" in anna.get("/api/v1/map/points", params={"name": name}).headers["cache-control"]
    assert anna.get("/api/v1/map/marks", params={"name": name}).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["points", "marks"])
@pytest.mark.parametrize(
    ("name", "status"), [(LOST, 404), ("../journal.db", 422), ("", 422), ("points-" + 33 * "0" + ".npy", 422)]
)
def test_only_the_newest_map_is_served_and_no_path(anna, mapped, path, name, status):
    assert anna.get(f"/api/v1/map/{path}", params={"name": name}).status_code == status


def test_a_project_that_was_switched_off_says_so(anna, mapped):
    mapped.configure(map="off")
    info = anna.get("/api/v1/map").json()
    assert (info["is_off"], info["can_be_drawn"]) == (True, False)
