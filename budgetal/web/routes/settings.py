"""What owners decide: settings, classes, pause and end; and what they take home."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from budgetal.web.access import OfOwner
from budgetal.web.records import Done
from budgetal.web.settings_records import (
    ClassesChanged,
    ClassInfo,
    ClassRequest,
    SettingInfo,
    SettingsInfo,
    SettingsRequest,
)
from budgetal.web.site import OfSite, Site

router = APIRouter(prefix="/api/v1", tags=["deciding"])

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "parquet": "application/octet-stream"}


@router.get("/settings")
def settings(site: OfSite, _session: OfOwner) -> SettingsInfo:
    """All settings, and which of them can be changed."""
    found = [SettingInfo.model_validate(asdict(one)) for one in site.steering.settings()]
    under_way = site.desk.look(lambda state: bool(state.rounds) and not state.finished)
    return SettingsInfo(settings=found, is_under_way=under_way)


@router.post("/settings")
def configure(request: SettingsRequest, site: OfSite, session: OfOwner) -> Done:
    """Change settings of the running project."""
    site.steering.configure(request.changes, session.annotator)
    return _done(site)


@router.get("/classes")
def classes(site: OfSite, _session: OfOwner) -> list[ClassInfo]:
    """The classes with what people labelled, and last the images of none."""
    return [ClassInfo(name=row.name, n=row.n) for row in site.steering.classes()]


@router.post("/classes")
def change_classes(request: ClassRequest, site: OfSite, session: OfOwner) -> ClassesChanged:
    """Add a class, rename one, or merge one into another."""
    n = site.steering.change_classes(request.change, request.names, session.annotator, ask_again=request.ask_again)
    return ClassesChanged(classes=classes(site, session), n_asked_again=n)


@router.post("/pause")
def pause(site: OfSite, session: OfOwner) -> Done:
    """Hand out no image and train no model; answers are still taken."""
    site.steering.pause(session.annotator)
    return _done(site)


@router.post("/resume")
def resume(site: OfSite, session: OfOwner) -> Done:
    """Go on after a pause or a chosen end."""
    site.steering.resume(session.annotator)
    return _done(site)


@router.post("/stop")
def stop(site: OfSite, session: OfOwner) -> Done:
    """End the run; the last certificate then has its round's share of the risk only."""
    site.steering.stop(session.annotator)
    return _done(site)


@router.get("/export", response_class=Response)
def export(
    site: OfSite, _session: OfOwner, format: Annotated[str, Query(pattern="^(csv|jsonl|parquet)$")] = "csv"
) -> Response:
    """All labels with their provenance, as a file."""
    return _file(site.steering.exported(format), f"{site.name}-labels.{format}", TYPES[format])


@router.get("/report", response_class=Response)
def report(site: OfSite, _session: OfOwner) -> Response:
    """The report of the run's last end, as a file."""
    return _file(site.steering.report(), f"{site.name}-report.html", "application/octet-stream")


def _file(content: bytes, name: str, media_type: str) -> Response:
    """To be saved, and never shown as a page of this server."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-._ ") else "_" for letter in name)
    return Response(content, media_type=media_type, headers={"content-disposition": f'attachment; filename="{plain}"'})


def _done(site: Site) -> Done:
    return Done(standing=site.standing())
