"""Making a project of a folder on the server. These routes exist only while there is no project."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budgetal.web.access import OfOwner
from budgetal.web.start_records import FolderInfo, FolderRequest, StartInfo, StartProgress, StartRequest
from budgetal.web.starting import Starting, Wish, split_classes
from budgetal.web.templating import render

router = APIRouter(prefix="/api/v1/start", tags=["starting"])
pages = APIRouter(include_in_schema=False)

BUDGET, TOLERANCE = 500, 0.05


def starting_of(request: Request) -> Starting:
    """What makes the project."""
    starting: Starting = request.app.state.starting
    return starting


OfStarting = Annotated[Starting, Depends(starting_of)]


@router.get("")
def start(starting: OfStarting, _session: OfOwner) -> StartInfo:
    """Where images may be, and what is proposed."""
    name = starting.folder.resolve().name
    return StartInfo(name=name, roots=list(starting.roots.names), budget=BUDGET, tolerance=TOLERANCE)


@router.post("/folder")
def folder(request: FolderRequest, starting: OfStarting, _session: OfOwner) -> FolderInfo:
    """What is in a folder below a root."""
    return FolderInfo.model_validate(asdict(starting.roots.look(request.root, request.names)))


@router.post("")
def begin(request: StartRequest, starting: OfStarting, _session: OfOwner) -> StartProgress:
    """Make the project; ask for its progress from then on."""
    classes = split_classes(request.classes)
    wish = request.root, tuple(request.names), classes, request.budget, request.tolerance, request.given_labels
    starting.begin(Wish(*wish))
    return progress(starting, _session)


@router.get("/progress")
def progress(starting: OfStarting, _session: OfOwner) -> StartProgress:
    """How far it is."""
    return StartProgress.model_validate(asdict(starting.progress))


@pages.get("/")
def home(_session: OfOwner) -> Response:
    """Where one begins."""
    return RedirectResponse("/start", status_code=303)


@pages.get("/start")
def page(starting: OfStarting, session: OfOwner) -> HTMLResponse:
    """Choose images, classes and a budget."""
    name = starting.folder.resolve().name
    return render("start.html.j2", page="start", pages=[], project=name, project_key="", annotator=session.annotator)
