"""How a project stands and went: head line, rounds, epochs, drawings."""

from typing import Any

from fastapi import APIRouter

from budgetal.types import NONE_OF_THESE
from budgetal.web.access import OfAnnotator
from budgetal.web.drawings import drawings
from budgetal.web.records import ProjectInfo, Standing
from budgetal.web.site import OfSite
from budgetal.web.standing import epochs_of, rounds_of

router = APIRouter(prefix="/api/v1", tags=["watching"])


@router.get("/project")
def project(site: OfSite, session: OfAnnotator) -> ProjectInfo:
    """Name, classes, what to answer for an image of none of them, and who you are."""
    config = site.desk.look(lambda state: state.settings)
    return ProjectInfo(
        name=site.name,
        classes=list(config.classes),
        none_of_these=NONE_OF_THESE,
        annotator=session.annotator,
        role=session.role.word,
        tolerance=config.tolerance,
    )


@router.get("/status")
def status(site: OfSite, _session: OfAnnotator) -> Standing:
    """Budget, coverage, certificate, and what the learner does."""
    return site.standing()


@router.get("/rounds")
def rounds(site: OfSite, _session: OfAnnotator) -> list[dict[str, Any]]:
    """One record a finished round."""
    return site.desk.look(rounds_of)


@router.get("/epochs")
def epochs(site: OfSite, _session: OfAnnotator) -> list[dict[str, Any]]:
    """One record an epoch, of the round under way too."""
    return site.desk.look(epochs_of)


@router.get("/figures")
def figures(site: OfSite, _session: OfAnnotator) -> list[dict[str, Any]]:
    """The charts of the live page: each with heading, one sentence, SVG, legend and its numbers."""
    return site.desk.look(drawings)
