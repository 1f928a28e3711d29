"""The door: a link's code becomes a cookie."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budgetal.web.forms import Fields
from budgetal.web.sessions import COOKIE_S, Sessions
from budgetal.web.site import OfSessions
from budgetal.web.templating import render

router = APIRouter(include_in_schema=False)


@router.get("/enter")
def show_link(code: str = "") -> HTMLResponse:
    """The link's page. It only shows a button: whatever fetches links ahead must not use them up."""
    return render("enter.html.j2", code=code[:512], refused=False)


@router.post("/enter")
def use_link(request: Request, fields: Fields, sessions: OfSessions) -> Response:
    """Exchange the link's code, once, for a cookie."""
    cookie = sessions.use_code(fields.get("code", ""))
    if cookie is None:
        return render("enter.html.j2", status=403, code="", refused=True)
    return let_in(request, sessions, cookie)


def let_in(request: Request, sessions: Sessions, cookie: str) -> Response:
    """Give the browser its cookie, for HTTPS only where people come by HTTPS."""
    answer = RedirectResponse("/", status_code=303)
    secure = request.scope["state"]["origin"].startswith("https:")
    answer.set_cookie(
        sessions.cookie_name, cookie, max_age=COOKIE_S, httponly=True, samesite="strict", path="/", secure=secure
    )
    return answer
