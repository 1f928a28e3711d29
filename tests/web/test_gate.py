"""Nobody gets in who was not let in: every route, from every wrong place."""

import pytest
from every_route import call, routes

from budgetal.web.gate import MAX_BODY_BYTES

OPEN = {
    ("GET", "/static/{path}"),
    *((method, path) for method in ("GET", "POST") for path in ("/enter", "/join", "/login")),
}
WRONG_HOSTS = ("evil.example", "127.0.0.1", "127.0.0.1:9000", "127.0.0.1:8000.evil.example", "localhost:8001", "")
WRONG_ORIGINS = (
    "http://evil.example",
    "null",
    "http://127.0.0.1:9000",
    "https://127.0.0.1:8000",
    "http://localhost:8000",
)


def test_a_stranger_gets_nowhere_but_to_the_door(app, stranger):
    stranger.headers.update({"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"})
    for method, path, _ in routes(app):
        reply = call(stranger, method, path)
        if (method, path) in OPEN:
            assert reply.status_code == {"GET": 200, "POST": 403}[method], (method, path)
        elif method == "GET" and not path.startswith("/api/"):
            assert (reply.status_code, reply.headers["location"]) == (303, "/enter"), path
        else:
            assert reply.status_code == 401, (method, path)


def test_an_unknown_path_is_closed_to_strangers_like_any_other(stranger):
    assert stranger.get("/nothing-here").headers["location"] == "/enter"
    assert stranger.get("/api/v2/status").status_code == 401


@pytest.mark.parametrize("host", WRONG_HOSTS)
def test_no_route_answers_under_another_host_name(app, anna, host):
    for method, path, _ in routes(app):
        assert call(anna, method, path, headers={"host": host}).status_code == 400, (method, path)


@pytest.mark.parametrize("origin", WRONG_ORIGINS)
def test_no_other_site_can_make_a_browser_change_or_listen(app, browser, origin):
    changing = [(method, path) for method, path, _ in routes(app) if method != "GET" or path.endswith("/events")]
    assert len(changing) >= 7
    for method, path in changing:
        reply = call(browser, method, path, headers={"origin": origin, "sec-fetch-site": "cross-site"})
        assert reply.status_code == 403, (method, path)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_what_a_browser_says_of_its_site_counts_too(browser, site):
    body = {"client": "page", "n": 1}
    assert browser.post("/api/v1/claims", json=body, headers={"sec-fetch-site": site}).status_code == 403
    assert browser.post("/api/v1/claims", json=body).status_code == 200


def test_every_reply_forbids_frames_scripts_and_guessing(app, anna):
    for method, path, _ in routes(app):
        if path.endswith("/events"):
            continue
        headers = call(anna, method, path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers


def test_a_body_is_bounded_whether_it_is_announced_or_not(anna):
    big = b" " * (MAX_BODY_BYTES + 1)
    assert anna.post("/api/v1/claims", content=big).status_code == 413
    assert anna.post("/api/v1/claims", content=iter([big[:1000]] * 80)).status_code in (400, 413)


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999", "abc"])
def test_an_odd_length_is_refused(anna, length):
    assert anna.post("/api/v1/claims", content=b"{}", headers={"content-length": length}).status_code in (400, 413)


@pytest.mark.parametrize("token", ["", "x", "e30.x.y", "Zm9v"])
def test_a_made_up_token_or_cookie_is_none(stranger, sessions, token):
    assert stranger.get("/api/v1/status", headers={"authorization": f"Bearer {token}"}).status_code == 401
    stranger.cookies.set(sessions.cookie_name, token)
    assert stranger.get("/api/v1/status").status_code == 401
