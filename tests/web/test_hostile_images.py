"""Drawings and pages under the names of images, and images that carry pages: none of it reaches a browser."""

import pytest
from chromium import start_chromium, why_no_chromium
from collections_made import write_tree
from PIL import Image, PngImagePlugin
from starlette.testclient import TestClient

from budgetal.data import content_id
from budgetal.desk import Desk
from budgetal.project import Project
from budgetal.web import Sessions, make_app

ORIGIN = "http://127.0.0.1:8000"
SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}
SCRIPT = b"<script>document.title = 'taken over'</script>"
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + SCRIPT + b"</svg>"
HTML = b"<!doctype html><html><body>" + SCRIPT + b"</body></html>"


@pytest.fixture
def folder(tmp_path):
    """90 images, and four that are not what their names say, or more than that."""
    folder = write_tree(tmp_path / "images", 90)
    (folder / "blue" / "drawing.png").write_bytes(SVG)
    (folder / "red" / "page.png").write_bytes(HTML)
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", SCRIPT.decode())
    Image.new("RGB", (40, 30), "green").save(folder / "green" / "both.png", pnginfo=note)
    with (folder / "green" / "both.png").open("ab") as image:
        image.write(HTML)
    Image.new("RGB", (20, 20), "red").save(folder / "red" / "frame.gif", comment=SCRIPT)
    return folder


@pytest.fixture
def project(folder, tmp_path):
    project = Project.create(tmp_path / "project", images=str(folder), **SETTINGS)
    yield project
    project.close()


@pytest.fixture
def page(project):
    sessions = Sessions(project.folder, "s" * 64, project.logbook)
    headers = {"authorization": f"Bearer {sessions.token('anna')}"}
    with TestClient(make_app(Desk(project), sessions, [ORIGIN]), base_url=ORIGIN, headers=headers) as client:
        yield client


def test_what_is_no_image_is_left_out_with_a_reason(project):
    reasons = {entry.path: entry.reason for entry in project.quarantined}
    assert set(reasons) == {"blue/drawing.png", "red/page.png"}
    assert all("no image of a known format" in reason for reason in reasons.values())
    assert len(project.samples) == 92


@pytest.mark.parametrize("size", ["small", "large"])
@pytest.mark.parametrize("name", ["green/both.png", "red/frame.gif"])
def test_what_an_image_carries_beside_its_pixels_stays_behind(folder, page, name, size):
    content = (folder / name).read_bytes()
    assert SCRIPT in content
    reply = page.get(f"/api/v1/images/{content_id(content)}?size={size}")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/webp")
    assert reply.content[:4] + reply.content[8:12] == b"RIFFWEBP"
    assert b"script" not in reply.content
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("content", [SVG, HTML])
def test_no_id_leads_to_what_was_left_out(page, content):
    reply = page.get(f"/api/v1/images/{content_id(content)}")
    assert reply.status_code == 404
    assert "script" not in reply.text


@pytest.mark.parametrize("content", [SVG, HTML])
def test_an_image_that_was_exchanged_for_a_page_is_not_served(folder, page, content):
    image = folder / "green" / "both.png"
    sample_id = content_id(image.read_bytes())
    image.write_bytes(content)
    reply = page.get(f"/api/v1/images/{sample_id}")
    assert 400 <= reply.status_code < 500
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "taken over" not in reply.text


@pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())
def test_a_browser_that_opens_such_an_image_runs_nothing(folder, page, tmp_path):
    """The reply as it comes, opened as a page of its own under every name that might tempt a browser."""
    sample_id = content_id((folder / "green" / "both.png").read_bytes())
    content = page.get(f"/api/v1/images/{sample_id}").content
    browser = start_chromium()
    try:
        (tmp_path / "proof.html").write_bytes((folder / "green" / "both.png").read_bytes())
        browser.get(f"file://{tmp_path / 'proof.html'}")
        assert browser.title == "taken over"  # So the test would see it.
        for suffix in ("html", "svg", "webp"):
            (tmp_path / f"served.{suffix}").write_bytes(content)
            browser.get(f"file://{tmp_path / f'served.{suffix}'}")
            assert browser.title != "taken over"
    finally:
        browser.quit()
