"""The HTTP API: labelling from claim to undo, what is refused and how, and what is told to whom."""

import io
import json

import pytest
from PIL import Image

from budgetal.data.showing import shown
from budgetal.errors import DataError
from budgetal.project import Project

ODD_IDS = (
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/journal.db",
    "0" * 200,
    "ABCDEF0123456789",
    "é",
    "0%00",
)


def claim(client, n=3, name="page-1"):
    return client.post("/api/v1/claims", json={"client": name, "n": n}).json()["items"]


def send(client, path, item, name="page-1", **more):
    return client.post(f"/api/v1/{path}", json={"client": name, **item, **more})


def test_an_image_is_claimed_seen_labelled_and_taken_back(anna, project):
    first, second, _ = claim(anna)
    image = anna.get(f"/api/v1/images/{first['sample_id']}")
    assert image.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(image.content)).size == (16, 16)
    done = send(anna, "labels", first, label="red", key="k1")
    assert done.json()["standing"]["n_paid"] == 1
    assert send(anna, "skips", second).status_code == 200
    assert project.state.labels[first["sample_id"]].annotator == "anna"
    assert send(anna, "undos", first).json()["standing"]["n_paid"] == 0
    assert first in claim(anna)


def test_a_repeated_answer_counts_once_and_another_under_its_key_is_refused(anna, project):
    (item,) = claim(anna, 1)
    for _ in range(3):
        assert send(anna, "labels", item, label="red", key="k").status_code == 200
    reply = send(anna, "labels", item, label="blue", key="k")
    assert (reply.status_code, reply.json()["error"]) == (409, "conflict")
    assert project.state.n_paid == 1
    assert project.state.labels[item["sample_id"]].label == "red"


def test_nobody_else_can_answer_for_an_image_in_hand(anna, sessions, project):
    (item,) = claim(anna, 1)
    assert send(anna, "labels", item, name="page-2", label="red", key="a").json()["error"] == "stale"
    assert send(anna, "labels", {**item, "token": 2}, label="red", key="b").json()["error"] == "stale"
    anna.headers["authorization"] = f"Bearer {sessions.token('mallory')}"
    for path, more in (("labels", {"label": "red", "key": "c"}), ("skips", {}), ("undos", {})):
        assert send(anna, path, item, **more).status_code == 409
    assert project.state.labels == {}
    assert anna.post("/api/v1/releases", json={"client": "x", "sample_ids": [item["sample_id"]]}).status_code == 200
    assert item not in claim(anna)


def test_released_images_go_to_the_next_who_asks(anna):
    items = claim(anna)
    ids = [item["sample_id"] for item in items]
    assert anna.post("/api/v1/releases", json={"client": "page-1", "sample_ids": ids}).status_code == 200
    assert [item["sample_id"] for item in claim(anna, 3, "page-2")] == ids


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "client"),
        ({"client": "a b", "n": 1}, "client"),
        ({"client": "a", "n": 0}, "n"),
        ({"client": "a", "n": 10**9}, "n"),
        ({"client": "a", "m": 1}, "m"),
        ([], "body"),
        ("text", "body"),
    ],
)
def test_a_wrong_request_says_which_field(anna, body, where):
    reply = anna.post("/api/v1/claims", json=body)
    assert reply.status_code == 422
    assert where in reply.json()["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b'{"client": 1e999}'])
def test_a_body_that_is_no_json_breaks_nothing(anna, content):
    reply = anna.post("/api/v1/claims", content=content, headers={"content-type": "application/json"})
    assert reply.status_code in (400, 422)


@pytest.mark.parametrize("label", ["", "rde", "=cmd()", "x" * 2000])
def test_a_label_that_is_no_class_is_refused(anna, project, label):
    (item,) = claim(anna, 1)
    assert send(anna, "labels", item, label=label, key="k").status_code in (404, 422)
    assert project.state.labels == {}


@pytest.mark.parametrize("sample_id", ODD_IDS)
def test_no_path_of_a_client_reaches_the_file_system(anna, sample_id):
    assert anna.get(f"/api/v1/images/{sample_id}").status_code in (404, 422)
    assert send(anna, "labels", {"sample_id": sample_id, "token": 1}, label="red", key="k").status_code in (409, 422)


def test_an_unknown_image_is_not_found(anna):
    reply = anna.get(f"/api/v1/images/{'0' * 32}")
    assert (reply.status_code, reply.json()["error"]) == (404, "unknown")


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/", "/static/nothing.js"])
def test_static_files_are_those_of_the_folder_only(anna, path):
    assert anna.get(path).status_code == 404


def test_images_are_kept_by_the_browser_and_run_nothing(anna):
    (item,) = claim(anna, 1)
    headers = anna.get(f"/api/v1/images/{item['sample_id']}?size=small").headers
    assert "immutable" in headers["cache-control"]
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html><script>1</script>", b"", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_image_is_not_shown(content):
    with pytest.raises(DataError):
        shown(content, 100)


def test_an_image_is_shown_whole_in_its_proportions_and_without_what_it_carried():
    buffer = io.BytesIO()
    Image.new("RGB", (400, 100), "red").save(buffer, "JPEG", comment=b"secret place", exif=b"Exif\0\0secret place")
    found = shown(buffer.getvalue(), 200)
    assert b"secret place" in buffer.getvalue()
    assert b"secret place" not in found
    assert Image.open(io.BytesIO(found)).size == (200, 50)


def test_transparency_is_shown_on_white():
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(buffer, "PNG")
    assert min(Image.open(io.BytesIO(shown(buffer.getvalue(), 8))).convert("RGB").getpixel((4, 4))) > 250


def test_status_rounds_and_figures_of_a_run(anna, project):
    truth = {sample.sample_id: sample.label for sample in project.samples}
    from budgetal.annotators.oracle import Oracle
    from budgetal.simulate import run

    run(project, Oracle(truth))
    status = anna.get("/api/v1/status").json()
    assert (status["n_paid"], status["finished"], status["stop_reason"]) == (60, True, "budget spent")
    assert status["certificate"]["n_auto"] == project.state.certificate.n_auto
    assert [record["n_human"] for record in anna.get("/api/v1/rounds").json()] == [40, 50, 60]
    epochs = anna.get("/api/v1/epochs").json()
    assert {epoch["round"] for epoch in epochs} == {0, 1, 2}
    figures = anna.get("/api/v1/figures").json()
    assert len(figures) == 7
    assert figures[0]["svg"].startswith("<svg")


def test_classes_that_another_process_changed_are_told_at_once(anna, project):
    elsewhere = Project.open(project.folder)
    elsewhere.change_classes("add", "violet")
    elsewhere.close()
    assert "violet" in anna.get("/api/v1/project").json()["classes"]


def _events(client, **options):
    """The journal events of a stream, read until it has said all that there is."""
    found = []
    with client.stream("GET", "/api/v1/events", **options) as reply:
        for line in reply.iter_lines():
            if line.startswith('data: {"seq"'):
                found.append(json.loads(line.removeprefix("data: ")))
    return found


@pytest.fixture
def ending(app):
    """Streams end as when the server does, so that a test can read them to their end."""
    looks = iter([False, True])
    app.state.site.watcher.is_closing = lambda: next(looks, True)


@pytest.mark.parametrize(
    ("options", "seqs"),
    [({}, [1, 2, 3]), ({"params": {"after": 2}}, [3]), ({"headers": {"last-event-id": "1"}}, [2, 3])],
)
def test_a_stream_goes_on_after_any_event(anna, ending, options, seqs):
    assert [event["seq"] for event in _events(anna, **options)] == seqs


def test_a_stream_ends_with_the_account_that_listens(stranger, sessions, monkeypatch):
    looks = iter([False, True])
    monkeypatch.setattr(sessions, "is_over", lambda session: next(looks, True))
    stranger.headers["authorization"] = f"Bearer {sessions.token('anna')}"
    assert [event["seq"] for event in _events(stranger)] == [1, 2, 3]


def test_a_stream_tells_nothing_of_the_audit(anna, project, app):
    truth = {sample.sample_id: sample.label for sample in project.samples}
    from budgetal.types import Annotation

    project.tell([Annotation(i, truth[i]) for i in project.ask().sample_ids])
    query = project.ask()
    assert query.purpose == "audit"
    project.tell([Annotation(query.sample_ids[0], "red")])
    looks = iter([False, True])
    app.state.site.watcher.last_seq = project.state.seq
    app.state.site.watcher.is_closing = lambda: next(looks, True)
    text = json.dumps(_events(anna))
    assert '"labelled"' in text
    for word in ("audit", "red", *query.sample_ids[:5]):
        assert word not in text
    claimed = anna.post("/api/v1/claims", json={"client": "a", "n": 9}).text
    assert 'audit"' not in claimed.replace("audit_accuracy", "")


def test_pages_hold_no_script_of_their_own_and_load_from_here_only(browser):
    for path in ("/annotate", "/live", "/enter?code=x"):
        page = browser.get(path).text
        assert "onclick" not in page
        assert " style=" not in page
        assert page.count("<script") == page.count('<script type="module" src="/static/')
        assert "http" not in page.replace("http-equiv", "")
