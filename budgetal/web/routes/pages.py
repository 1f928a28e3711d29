"""The pages. They hold no data: their scripts get it from the API."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budgetal.web.access import OfAnnotator, OfOwner, OfReviewer
from budgetal.web.navigation import pages_for
from budgetal.web.sessions import COOKIE_S, Session
from budgetal.web.site import OfSite, Site
from budgetal.web.templating import render

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(_session: OfAnnotator) -> Response:
    """Where one begins."""
    return RedirectResponse("/annotate", status_code=303)


@router.get("/annotate")
def annotate(site: OfSite, session: OfAnnotator) -> HTMLResponse:
    """Label images."""
    return _page("annotate", site, session)


@router.get("/live")
def live(site: OfSite, session: OfAnnotator) -> HTMLResponse:
    """Watch the run."""
    return _page("live", site, session)


@router.get("/review")
def review(site: OfSite, session: OfReviewer) -> HTMLResponse:
    """Check automatic labels."""
    return _page("review", site, session)


@router.get("/settings")
def settings(site: OfSite, session: OfOwner) -> HTMLResponse:
    """Decide how the run goes on."""
    return _page("settings", site, session)


@router.get("/enter")
def show_link(code: str = "") -> HTMLResponse:
    """The link's page. It only shows a button: whatever fetches links ahead must not use them up."""
    return render("enter.html.j2", code=code[:512], refused=False)


@router.post("/enter")
async def use_link(request: Request, site: OfSite) -> Response:
    """Exchange the link's code, once, for a cookie."""
    fields = parse_qs((await request.body()).decode("latin-1"), max_num_fields=4)
    cookie = site.sessions.use_code(fields.get("code", [""])[0])
    if cookie is None:
        return render("enter.html.j2", status=403, code="", refused=True)
    answer = RedirectResponse("/annotate", status_code=303)
    answer.set_cookie(site.sessions.cookie_name, cookie, max_age=COOKIE_S, httponly=True, samesite="strict", path="/")
    return answer


def _page(name: str, site: Site, session: Session) -> HTMLResponse:
    key = site.sessions.cookie_name
    return render(
        f"{name}.html.j2",
        page=name,
        pages=pages_for(session.role),
        project=site.name,
        project_key=key,
        annotator=session.annotator,
    )
