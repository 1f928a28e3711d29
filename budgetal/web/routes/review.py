"""Automatic labels for people to check, and what they say."""

from typing import Annotated

from fastapi import APIRouter, Query

from budgetal.review_list import Order
from budgetal.review_pages import Checked, Page, Show, Wanted
from budgetal.types import Annotation
from budgetal.web.access import OfReviewer
from budgetal.web.review_records import (
    ClassCount,
    ReviewGiven,
    ReviewItem,
    ReviewPage,
    ReviewProgress,
    ReviewRequest,
    ReviewUndoRequest,
)
from budgetal.web.site import OfSite, Site

router = APIRouter(prefix="/api/v1", tags=["reviewing"])

Place = Annotated[int, Query(ge=-1, le=2**53)]


@router.get("/review")
def page(
    site: OfSite,
    session: OfReviewer,
    order: Order = "risk",
    label: Annotated[str | None, Query(max_length=1024)] = None,
    show: Show = "waiting",
    after: Place = -1,
    before: Place | None = None,
    n: Annotated[int, Query(ge=1, le=200)] = 24,
) -> ReviewPage:
    """Automatic labels in order: those after position `after`, or the last ones before `before`."""
    found = site.reviewing.page(Wanted(order, label, show), n, session.annotator, after, before)
    items = [_item(item) for item in found.items]
    return ReviewPage(look=found.look, progress=_progress(site, found), items=items, has_more=found.has_more)


@router.get("/review/classes")
def classes(site: OfSite, session: OfReviewer) -> list[ClassCount]:
    """How many automatic labels there are of each class."""
    return [ClassCount(label=name, n=n) for name, n in site.reviewing.classes(session.annotator).items()]


@router.post("/reviews")
def review(request: ReviewRequest, site: OfSite, session: OfReviewer) -> ReviewProgress:
    """Accept or correct automatic labels. On reply all are on disk; the same key again changes nothing."""
    # A name space for each person and image: nobody's key can stand for another's word.
    keys = (f"{session.annotator}/{request.key}/{one.sample_id}" for one in request.reviews)
    given = zip(request.reviews, keys, strict=True)
    site.reviewing.review([Annotation(one.sample_id, one.label, session.annotator, key) for one, key in given])
    return _progress(site)


@router.post("/reviews/undos")
def take_back(request: ReviewUndoRequest, site: OfSite, session: OfReviewer) -> ReviewProgress:
    """Forget own reviews; once more changes nothing."""
    site.reviewing.take_back(request.sample_ids, session.annotator)
    return _progress(site)


def _item(found: Checked) -> ReviewItem:
    given = found.review
    review = ReviewGiven(label=given.label, annotator=given.annotator) if given else None
    fields = {name: getattr(found, name) for name in ReviewItem.model_fields if name != "review"}
    return ReviewItem(**fields, review=review)


def _progress(site: Site, page: Page | None = None) -> ReviewProgress:
    after, state = site.reviewing.remaining(), site.desk.project.state
    n = page.n if page else (state.auto.n if state.auto else 0)
    n_reviewed = page.n_reviewed if page else site.reviewing.n_reviewed()
    return ReviewProgress(n=n, n_reviewed=n_reviewed, remaining=after)
