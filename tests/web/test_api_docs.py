"""The HTTP API is what its page says: every request with its role; the examples run, and the client has it all."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from collections_made import easy_images
from doc_blocks import blocks_of
from every_route import routes
from PIL import Image
from serving import Server

from budgetal.client import ClaimedItem, Client
from budgetal.client.transport import Transport
from budgetal.logbook import Logbook
from budgetal.project import Project
from budgetal.web import Sessions
from budgetal.web.app import make_start_app
from budgetal.web.roots import Roots
from budgetal.web.starting import Starting

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "http-api.md"
PREFIX = "/api/v1"
ROW = re.compile(r"^\| (`(?:GET|POST) /.*?) \| (\w+) \| (.*) \|$", re.MULTILINE)
REQUEST = re.compile(r"`(GET|POST) (/[^`?]*)")


@pytest.fixture
def start_app(tmp_path):
    logbook = Logbook(tmp_path, create=True)
    starting = Starting(tmp_path / "project", Roots([tmp_path]))
    yield make_start_app(starting, Sessions(starting.folder, "s" * 64, logbook), ["http://127.0.0.1:8000"])
    logbook.close()


def documented(text):
    """(method, path, role) of each request in the tables; twice where it stands twice."""
    return sorted((*request, role) for cell, role, _ in ROW.findall(text) for request in REQUEST.findall(cell))


def served(app):
    """The same of the routes of version 1."""
    found = ((method, path.removeprefix(PREFIX), role) for method, path, role in routes(app) if path.startswith(PREFIX))
    return sorted((method, path, role.word) for method, path, role in found if role is not None)


def tables():
    """The page up to the requests of a server without a project, and from there."""
    first, _, second = PAGE.read_text(encoding="utf-8").partition("budgetal serve --root")
    assert second
    return first, second


def test_the_page_lists_every_request_with_its_role_and_no_other(app):
    assert documented(tables()[0]) == served(app)


def test_the_page_lists_what_a_server_without_a_project_answers(start_app):
    assert documented(tables()[1]) == served(start_app)


def test_the_description_that_programs_read_has_the_same_requests(app):
    described = {(method.upper(), path) for path, one in app.openapi()["paths"].items() for method in one}
    assert described == {(method, PREFIX + path) for method, path, _ in documented(tables()[0])}


ITEM = ClaimedItem("ab" * 16, 1)
REPLY = {"items": [], "guesses": {}, "link": "", "settings": [], "classes": []}


class Listener:
    """Stands for a server: notes what is asked, and has something for everybody."""

    def __init__(self):
        self.asked = set()

    def open(self, _transport, path, body=None):
        plain = path.partition("?")[0].replace(ITEM.sample_id, "{sample_id}")
        self.asked.add(("POST" if body is not None else "GET", plain))
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __iter__(self):
        return iter(())

    def read(self):
        return json.dumps(REPLY).encode()


def arguments(method):
    """One for each parameter that has no default."""
    known = {"item": ITEM, "items": [ITEM], "labels": {}, "sample_ids": [], "n": 1}
    needed = [p for p in inspect.signature(method).parameters.values() if p.default is p.empty]
    return [known.get(one.name, "x") for one in needed if one.kind is one.POSITIONAL_OR_KEYWORD]


def test_the_client_has_a_method_for_each_request_of_a_project(monkeypatch):
    heard = Listener()
    monkeypatch.setattr(Transport, "open", lambda *asked: heard.open(*asked))
    client = Client("http://127.0.0.1:1", "token")
    for name, method in inspect.getmembers(client, inspect.ismethod):
        if not name.startswith("_"):
            list(method(*arguments(method)) or ())
    assert heard.asked == {(method, path) for method, path, _ in documented(tables()[0])}


@pytest.fixture
def server(tmp_path):
    """What the page says that its reader has: runs/birds, served."""
    write_birds(tmp_path / "birds", 60)
    settings = {"classes": ("crow", "owl"), "budget": 40, "tolerance": 0.2}
    project = Project.create(tmp_path / "runs" / "birds", images=str(tmp_path / "birds"), **settings)
    project.ask()
    project.close()
    server = Server(tmp_path / "runs" / "birds", tmp_path / "state", "--no-learner")
    yield server
    server.stop()


def write_birds(folder, n):
    folder.mkdir()
    for i, image in enumerate(easy_images(n)[0]):
        Image.fromarray(image).save(folder / f"{i:04}.png")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: apt-get install curl")
def test_the_examples_run_as_they_are_written(server, tmp_path):
    written = "".join(block.content for block in blocks_of(PAGE) if block.language == "sh")
    script = f'budgetal() {{ "{sys.executable}" -m budgetal "$@"; }}\n{written}'
    environment = {**server.environment, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    # Under another port, since tests may run side by side.
    command = ["bash", "-e", "-o", "pipefail", "-c", script.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")]
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stdout + found.stderr
    assert (tmp_path / "one.webp").read_bytes()[8:12] == b"WEBP"
    assert "event: journal" in found.stdout
    project = Project(tmp_path / "runs" / "birds")
    assert sorted((label.label, label.annotator) for label in project.state.labels.values()) == [
        ("crow", "anna"),
        ("owl", "ben"),
    ]
    people = json.loads(found.stdout.strip().splitlines()[-1])["people"]
    assert [(one["name"], one["role"], one["is_revoked"]) for one in people] == [("ben", "reviewer", True)]
    project.close()
