"""Links that work once, cookies, tokens, and the secret that signs them."""

import stat
import time

import pytest

from budgetal.errors import ConfigError, StorageError
from budgetal.web.names import check_name
from budgetal.web.secret import installation_secret
from budgetal.web.sessions import Sessions

ORIGIN = "http://127.0.0.1:8000"


def _code(sessions, name="anna"):
    return sessions.link(ORIGIN, name).partition("code=")[2]


def _enter(client, code):
    return client.post("/enter", data={"code": code}, headers={"origin": ORIGIN})


def test_a_link_lets_one_browser_in_once(stranger, sessions):
    code = _code(sessions)
    first = _enter(stranger, code)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"{sessions.cookie_name}=")
    assert all(flag in cookie for flag in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert stranger.get("/api/v1/project").json()["annotator"] == "anna"
    stranger.cookies.clear()
    assert _enter(stranger, code).status_code == 403
    assert stranger.get("/api/v1/project").status_code == 401


def test_looking_at_a_link_does_not_use_it_up(stranger, sessions):
    code = _code(sessions)
    for _ in range(3):
        assert code in stranger.get(f"/enter?code={code}").text
    assert _enter(stranger, code).status_code == 303


def test_what_a_link_says_is_escaped(stranger):
    page = stranger.get("/enter", params={"code": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page


def test_a_link_is_over_after_a_day(stranger, sessions, monkeypatch):
    code = _code(sessions)
    later = int(time.time()) + 86_500
    monkeypatch.setattr(time, "time", lambda: later)
    assert _enter(stranger, code).status_code == 403


def test_link_cookie_and_token_cannot_stand_for_one_another(stranger, sessions):
    token = sessions.token("anna")
    assert _enter(stranger, token).status_code == 403
    assert sessions.of(token, None) is None
    assert sessions.of(None, _code(sessions)) is None
    assert sessions.of(None, sessions.use_code(_code(sessions))) is None


def test_another_project_has_other_sessions(sessions, project, tmp_path):
    other = Sessions(tmp_path / "other", "s" * 64, project.logbook)
    assert other.of(None, sessions.token("anna")) is None
    assert other.cookie_name != sessions.cookie_name
    stolen = Sessions(project.folder, "t" * 64, project.logbook).token("anna")
    assert sessions.of(None, stolen) is None


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    secret = installation_secret()
    path = tmp_path / "budgetal" / "secret"
    assert installation_secret() == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret"]
    path.chmod(0o640)
    with pytest.raises(StorageError, match="Others can read"):
        installation_secret()
    path.chmod(0o600)
    path.write_text("")
    with pytest.raises(StorageError, match="damaged"):
        installation_secret()


@pytest.mark.parametrize("name", ["", "a/b", "x" * 65, "a\nb"])
def test_a_name_that_cannot_be_kept_is_refused(name):
    with pytest.raises(ConfigError, match="Cannot use the name"):
        check_name(name)
