"""A small project served to a test client, without a learner."""

import pytest
from collections_made import write_npy
from starlette.testclient import TestClient

from budgetal.desk import Desk
from budgetal.project import Project
from budgetal.web import Sessions, make_app

HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"
SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 90)


@pytest.fixture
def project(images, tmp_path):
    project = Project.create(tmp_path / "birds", images=str(images), **SETTINGS)
    project.ask()
    yield project
    project.close()


@pytest.fixture
def sessions(project):
    return Sessions(project.folder, "s" * 64, project.logbook)


@pytest.fixture
def app(project, sessions):
    return make_app(Desk(project), sessions, [ORIGIN])


@pytest.fixture
def stranger(app):
    """Somebody without cookie or token."""
    with TestClient(app, base_url=ORIGIN, follow_redirects=False) as client:
        yield client


@pytest.fixture
def anna(stranger, sessions):
    """A program with a token."""
    stranger.headers["authorization"] = f"Bearer {sessions.token('anna')}"
    return stranger


@pytest.fixture
def browser(stranger, sessions):
    """A page of ours: a cookie, and the headers that browsers send."""
    code = sessions.link(ORIGIN, "ben").partition("code=")[2]
    stranger.headers.update({"origin": ORIGIN, "sec-fetch-site": "same-origin"})
    assert stranger.post("/enter", data={"code": code}).status_code == 303
    return stranger
