"""A project made over HTTP of a folder on the server."""

import pytest
from starlette.testclient import TestClient

from budgetal.logbook import Logbook
from budgetal.project import Project
from budgetal.web import Sessions
from budgetal.web.app import make_start_app
from budgetal.web.roles import Role
from budgetal.web.roots import Roots
from budgetal.web.starting import Starting

HOST = "127.0.0.1:8000"


@pytest.fixture
def starting(pictures, tmp_path):
    return Starting(tmp_path / "project", Roots([pictures]))


@pytest.fixture
def sessions(starting, tmp_path):
    logbook = Logbook(tmp_path, create=True)
    yield Sessions(starting.folder, "s" * 64, logbook)
    logbook.close()


@pytest.fixture
def owner(starting, sessions):
    with TestClient(
        make_start_app(starting, sessions, [f"http://{HOST}"]), base_url=f"http://{HOST}", follow_redirects=False
    ) as client:
        client.headers["authorization"] = f"Bearer {sessions.token('olga', Role.OWNER)}"
        yield client


def wish(starting, **changes):
    root = starting.roots.names[0]
    return {"root": root, "names": ["birds"], "classes": [], "budget": 30, "tolerance": 0.3} | changes


def test_a_project_is_made_of_a_folder_below_a_root(owner, starting, pictures):
    info = owner.get("/api/v1/start").json()
    found = owner.post("/api/v1/start/folder", json={"root": info["roots"][0], "names": ["birds"]}).json()
    assert (found["n_images"], found["classes"]) == (80, ["crow", "owl"])
    assert owner.get("/").headers["location"] == "/start"
    assert owner.get("/start").status_code == 200
    body = wish(starting, classes=[" crow ", "owl", ""], given_labels=True)
    assert owner.post("/api/v1/start", json=body).status_code == 200
    starting.wait()
    assert owner.get("/api/v1/start/progress").json()["is_ready"] is True
    project = Project.open(starting.folder)
    assert (project.config.budget, project.config.tolerance, project.config.classes) == (30, 0.3, ("crow", "owl"))
    assert project.config.images == str(pictures / "birds")
    assert len(project.state.labels) == 80
    project.close()
    assert owner.post("/api/v1/start", json=wish(starting)).status_code == 409


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"names": ["..", ".."]}, 404),
        ({"root": "/"}, 404),
        ({"images": "/etc"}, 422),
        ({"budget": 0}, 422),
        ({"tolerance": 1.5}, 422),
        ({"names": "birds"}, 422),
    ],
)
def test_a_wish_that_cannot_be_is_refused_at_once(owner, starting, changes, status):
    assert owner.post("/api/v1/start", json=wish(starting, **changes)).status_code == status
    assert not starting.folder.exists()


def test_what_is_found_out_later_is_told_and_can_be_put_right(owner, starting):
    assert owner.post("/api/v1/start", json=wish(starting, classes=["dog", "cat"])).status_code == 200
    starting.wait()
    assert "crow" in owner.get("/api/v1/start/progress").json()["problem"]
    assert owner.post("/api/v1/start", json=wish(starting)).status_code == 200
    starting.wait()
    assert owner.get("/api/v1/start/progress").json()["is_ready"] is True


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER, None])
def test_only_an_owner_sees_the_servers_folders(owner, sessions, starting, role):
    owner.headers["authorization"] = f"Bearer {sessions.token('ben', role)}" if role else ""
    for path in ("/api/v1/start", "/start"):
        assert owner.get(path).status_code == (403 if role else 401 if path.startswith("/api/") else 303)
    assert owner.post("/api/v1/start/folder", json={"root": starting.roots.names[0]}).status_code in (401, 403)
    assert owner.get("/api/v1/status").status_code in (401, 404)
