"""The pages. They hold no data: their scripts get it from the API."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budgetal.rounds import BESIDE_THE_RUN
from budgetal.web.access import OfAnnotator, OfOwner, OfReviewer
from budgetal.web.navigation import pages_for
from budgetal.web.sessions import Session
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
    return _page("settings", site, session, beside_the_run=sorted(BESIDE_THE_RUN))


@router.get("/people")
def people(site: OfSite, session: OfOwner) -> HTMLResponse:
    """Invite people, change their roles, revoke their accounts."""
    return _page("people", site, session)


@router.get("/map")
def map_of_images(site: OfSite, session: OfAnnotator) -> HTMLResponse:
    """Look at all images at once."""
    return _page("map", site, session)


def _page(name: str, site: Site, session: Session, **more: Any) -> HTMLResponse:
    key = site.sessions.cookie_name
    return render(
        f"{name}.html.j2",
        page=name,
        pages=pages_for(session.role),
        project=site.name,
        project_key=key,
        annotator=session.annotator,
        **more,
    )
