"""Every route for every role: who may do what, and that a route that forgets to say it is not served."""

import pytest
from every_route import call, routes
from fastapi import APIRouter

from budgetal.errors import ConfigError
from budgetal.web.access import OfAnnotator, OfOwner, OfReviewer, least_role, refuse_undeclared
from budgetal.web.gate import is_public
from budgetal.web.navigation import PAGES
from budgetal.web.roles import Role, role_named

ORIGIN = "http://127.0.0.1:8000"
FOR_EVERYONE_SIGNED_IN = {"/api/v1/openapi.json"}


@pytest.fixture
def signed_in(request, app, stranger, sessions):
    """Somebody with the role and the means that the test asks for. Streams end at once, so that they can be called."""
    role, means = request.param
    app.state.site.watcher.is_closing = lambda: True
    if means == "token":
        stranger.headers["authorization"] = f"Bearer {sessions.token('anna', role)}"
        return stranger, role
    stranger.headers.update({"origin": ORIGIN, "sec-fetch-site": "same-origin"})
    code = sessions.link(ORIGIN, "anna", role).partition("code=")[2]
    assert stranger.post("/enter", data={"code": code}).status_code == 303
    return stranger, role


@pytest.mark.parametrize("signed_in", [(Role.ANNOTATOR, "cookie")], indirect=True)
def test_a_page_that_is_for_others_is_refused_as_a_page_and_a_call_as_json(signed_in):
    page, call_of_program = (signed_in[0].get(path) for path in ("/settings", "/api/v1/settings"))
    assert page.status_code == call_of_program.status_code == 403
    assert page.headers["content-type"].startswith("text/html")
    assert "needs the role owner" in page.text
    assert call_of_program.json()["error"] == "role"


@pytest.mark.parametrize("signed_in", [(role, means) for role in Role for means in ("cookie", "token")], indirect=True)
def test_every_route_lets_in_the_roles_that_it_names_and_no_other(app, signed_in):
    client, role = signed_in
    found, cookies = routes(app), dict(client.cookies)
    assert len(found) > 15
    for method, path, least in found:
        if is_public(path):
            continue
        status = call(client, method, path).status_code
        # One of the routes is the way out.
        client.cookies.update(cookies)
        if least is not None and role < least:
            assert status == 403, (method, path)
        else:
            assert status not in (401, 403), (method, path)
            assert status < 500, (method, path)


def test_every_route_that_is_not_public_names_a_role(app):
    undeclared = {path for _, path, least in routes(app) if least is None and not is_public(path)}
    assert undeclared == FOR_EVERYONE_SIGNED_IN


def test_a_route_that_names_no_role_is_not_served():
    router = APIRouter()
    router.get("/api/v1/secrets")(lambda: "leaked")
    with pytest.raises(RuntimeError, match="/api/v1/secrets says nobody"):
        refuse_undeclared(router.routes)


def test_the_strictest_of_several_roles_counts():
    router = APIRouter()

    @router.get("/x")
    def handler(_a: OfAnnotator, _b: OfOwner, _c: OfReviewer) -> None: ...

    assert least_role(router.routes[0]) is Role.OWNER


def test_navigation_and_routes_agree_on_who_may_open_a_page(app):
    least = {path: role for method, path, role in routes(app) if method == "GET"}
    for page in PAGES:
        assert least[f"/{page.path}"] == page.least, page.path


def test_a_role_that_does_not_suffice_is_said_in_one_line(anna, app):
    @app.get("/api/v1/owners-only")
    def handler(_session: OfOwner) -> str:
        return "secret"

    reply = anna.get("/api/v1/owners-only")
    assert (reply.status_code, reply.json()["error"]) == (403, "role")
    assert "needs the role owner, you are annotator" in reply.json()["message"]


def test_the_api_says_what_one_is(stranger, sessions):
    stranger.headers["authorization"] = f"Bearer {sessions.token('rita', Role.REVIEWER)}"
    info = stranger.get("/api/v1/project").json()
    assert (info["annotator"], info["role"]) == ("rita", "reviewer")


@pytest.mark.parametrize("word", ["", "Owner", "admin", "owner "])
def test_an_unknown_role_is_refused_with_those_that_exist(word):
    with pytest.raises(ConfigError, match="annotator, reviewer, owner"):
        role_named(word)
    assert role_named("owner") is Role.OWNER
