"""The door: a link's code becomes a cookie."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budgetal.web.sessions import COOKIE_S
from budgetal.web.site import OfSessions
from budgetal.web.templating import render

router = APIRouter(include_in_schema=False)


@router.get("/enter")
def show_link(code: str = "") -> HTMLResponse:
    """The link's page. It only shows a button: whatever fetches links ahead must not use them up."""
    return render("enter.html.j2", code=code[:512], refused=False)


@router.post("/enter")
async def use_link(request: Request, sessions: OfSessions) -> Response:
    """Exchange the link's code, once, for a cookie."""
    fields = parse_qs((await request.body()).decode("latin-1"), max_num_fields=4)
    cookie = sessions.use_code(fields.get("code", [""])[0])
    if cookie is None:
        return render("enter.html.j2", status=403, code="", refused=True)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(sessions.cookie_name, cookie, max_age=COOKIE_S, httponly=True, samesite="strict", path="/")
    return answer
