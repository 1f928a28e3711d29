"""The doors of those who have accounts: an invite that makes one, a name with its password, and the way out."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budgetal.errors import InputError
from budgetal.web.access import OfAnnotator
from budgetal.web.attempts import TooManyAttemptsError
from budgetal.web.forms import Fields
from budgetal.web.members import InviteError
from budgetal.web.names import alike
from budgetal.web.passwords import LONGEST, SHORTEST
from budgetal.web.routes.entering import let_in
from budgetal.web.site import OfSite, Site
from budgetal.web.standing import annotators_of
from budgetal.web.templating import render

router = APIRouter(include_in_schema=False)

LONGEST_CODE = 512
WRONG = "The name or the password is wrong."


@router.get("/join")
def show_invite(site: OfSite, code: str = "") -> HTMLResponse:
    """The page where somebody who was invited chooses a name and a password."""
    return _join_page(site, code[:LONGEST_CODE])


@router.post("/join")
def join(request: Request, fields: Fields, site: OfSite) -> Response:
    """Make the account that an invite is for, and sign its owner in."""
    code, name, password = (fields.get(field, "") for field in ("code", "name", "password"))
    try:
        account = site.members.join(code, name, password, site.desk.look(annotators_of))
    except InviteError:
        return _join_page(site, code, status=403)
    except InputError as problem:
        return _join_page(site, code, name, str(problem), 400)
    return let_in(request, site.sessions, site.sessions.cookie(account.name))


@router.get("/login")
def show_login(request: Request, site: OfSite) -> Response:
    """The page for those who have an account."""
    if request.scope["state"]["session"] is not None:
        return RedirectResponse("/", status_code=303)
    return _login_page(site)


@router.post("/login")
def log_in(request: Request, fields: Fields, site: OfSite) -> Response:
    """Exchange a name and its password for a cookie."""
    name, address = fields.get("name", "").strip(), request.client.host if request.client else ""
    try:
        site.attempts.count(address, alike(name))
    except TooManyAttemptsError as problem:
        page = _login_page(site, name, f"{problem}.", 429)
        page.headers["retry-after"] = str(problem.wait_s)
        return page
    account = site.members.log_in(name, fields.get("password", ""))
    if account is None:
        return _login_page(site, name, WRONG, 403)
    site.attempts.forget(address, alike(name))
    return let_in(request, site.sessions, site.sessions.cookie(account.name))


@router.post("/logout")
def log_out(site: OfSite, _session: OfAnnotator) -> Response:
    """Forget the cookie in this browser."""
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(site.sessions.cookie_name, httponly=True, samesite="strict", path="/")
    return answer


def _join_page(site: Site, code: str, name: str = "", problem: str | None = None, status: int = 200) -> HTMLResponse:
    invite = site.members.invited(code)
    return render(
        "join.html.j2",
        status=status,
        project=site.name,
        invite=invite,
        is_known=invite is not None and site.members.account(invite.name) is not None,
        code=code,
        name=name,
        problem=problem,
        shortest=SHORTEST,
        longest=LONGEST,
    )


def _login_page(site: Site, name: str = "", problem: str | None = None, status: int = 200) -> HTMLResponse:
    has_accounts = bool(site.members.accounts())
    return render(
        "login.html.j2", status=status, project=site.name, has_accounts=has_accounts, name=name, problem=problem
    )
