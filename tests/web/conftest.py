"""A small project served to a test client, without a learner."""

import numpy as np
import pytest
from chromium import start_chromium, until
from collections_made import write_npy
from PIL import Image
from serving import Server
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


@pytest.fixture(scope="module")
def server(project, tmp_path_factory):
    """The module's project, served without a learner by a process of its own."""
    server = Server(project.folder, tmp_path_factory.mktemp("state"), "--no-learner")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def chromium(server):
    """A real browser that came in by the server's link."""
    browser = start_chromium()
    browser.get(server.link)
    until(lambda: "/annotate" in browser.current_url)
    yield browser
    browser.quit()


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


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder with a folder of 80 images of two classes, to make a project of."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for i in range(80):
        path = root / "birds" / ("owl", "crow")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (16, 16, 3)).astype(np.uint8)).save(path)
    return root
