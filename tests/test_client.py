"""The Python client against a server on a port."""

import threading

import pytest
import uvicorn
from collections_made import write_npy

from budgetal.client import ClaimedItem, Client, ServerError
from budgetal.desk import Desk
from budgetal.errors import LeaseError
from budgetal.project import Project
from budgetal.web import Sessions, make_app
from budgetal.web.server import _listen

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


@pytest.fixture
def client(tmp_path):
    project = Project.create(tmp_path / "p", images=str(write_npy(tmp_path / "images", 90)), **SETTINGS)
    project.ask()
    sessions = Sessions(project.folder, "s" * 64, project.logbook)
    listening = _listen("127.0.0.1", 0)
    address = f"127.0.0.1:{listening.getsockname()[1]}"
    app = make_app(Desk(project), sessions, [f"http://{address}"])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    app.state.site.watcher.is_closing = lambda: server.should_exit
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield Client(f"http://{address}", sessions.token("robot"))
    server.should_exit = True
    thread.join()
    listening.close()
    project.close()


def test_a_program_labels_skips_takes_back_and_watches(client):
    classes = client.project()["classes"]
    first, second = client.claim(2)
    assert client.image(first)[8:12] == b"WEBP"
    client.label(first, classes[0], key="once")
    client.label(first, classes[0], key="once")
    client.skip(second)
    assert client.status()["n_paid"] == 1
    client.undo(first)
    assert client.status()["n_paid"] == 0
    events = client.events(after=3)
    assert [next(events)["kind"] for _ in range(3)] == ["labelled", "skipped", "undone"]


def test_refusals_are_errors_with_the_servers_words(client):
    (item,) = client.claim(1)
    with pytest.raises(LeaseError, match="handed to somebody else"):
        client.label(ClaimedItem(item.sample_id, 7), "red")
    with pytest.raises(ServerError, match="did you mean 'red'") as refused:
        client.label(item, "redd")
    assert refused.value.status == 404
    with pytest.raises(ServerError, match="token") as refused:
        Client(client.url, "made-up").status()
    assert refused.value.status == 401


def test_a_server_that_is_not_there_is_said_in_one_line():
    with pytest.raises(ServerError, match="Is `budgetal serve` running") as refused:
        Client("http://127.0.0.1:1", "x").status()
    assert refused.value.status == 0
