"""Where the model errs, what is known of each class, what labels to come would do, and how people get on."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from budgetal.errors import DataError
from budgetal.web.access import OfAnnotator, OfReviewer
from budgetal.web.site import OfSite, Site
from budgetal.web.watching_records import Confusion

router = APIRouter(prefix="/api/v1", tags=["watching"])

MOST_IMAGES = 120
Name = Annotated[str, Query(min_length=1, max_length=1024)]


@router.get("/confusion")
def confusion(site: OfSite, _session: OfReviewer) -> Confusion:
    """What people said of the images that the model chose, by what it had said before: counts."""
    classes = site.desk.project.config.classes
    return Confusion(classes=list(classes), counts=site.insights.lessons().confusion(len(classes)).tolist())


@router.get("/confusion/images")
def confused(site: OfSite, _session: OfReviewer, label: Name, guess: Name) -> list[str]:
    """Ids of images that people called `label` and the model `guess`, newest first, at most 120."""
    target, guessed = (_class(site, name) for name in (label, guess))
    return site.insights.lessons().between(target, guessed)[:MOST_IMAGES]


@router.get("/class-table")
def class_table(site: OfSite, _session: OfAnnotator) -> dict[str, Any]:
    """What is known of each class after the last `round`, null for none: `columns` and `rows`."""
    return site.insights.classes()


@router.get("/forecast")
def forecast(site: OfSite, _session: OfAnnotator) -> dict[str, Any]:
    """What the next labels would do, as of the last `round`: `lines`, a `note` on what that is worth, `figures`."""
    return site.insights.forecast()


@router.get("/paces")
def paces(site: OfSite, _session: OfReviewer) -> list[dict[str, Any]]:
    """One record a person: answers, answers a minute, agreement where several people saw one image."""
    return site.insights.people()


def _class(site: Site, name: str) -> int:
    classes = site.desk.project.config.classes
    if name not in classes:
        raise DataError(f"There is no class {name!r}")
    return classes.index(name)
