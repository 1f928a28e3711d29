"""Claims, answers, skips and undos."""

from dataclasses import asdict

from fastapi import APIRouter

from budgetal.desk import Item, Seat
from budgetal.web.access import OfAnnotator
from budgetal.web.item_records import (
    Answer,
    Claimed,
    ClaimRequest,
    GuessInfo,
    HeldItem,
    HeldRequest,
    ReleaseRequest,
    SkipRequest,
)
from budgetal.web.records import Done
from budgetal.web.sessions import Session
from budgetal.web.site import OfSite, Site

router = APIRouter(prefix="/api/v1", tags=["labelling"])


@router.post("/claims")
def claim(request: ClaimRequest, site: OfSite, session: OfAnnotator) -> Claimed:
    """Get the next images to label, and renew the leases of those in hand."""
    items = site.desk.claim(_seat(session, request.client), request.n)
    guesses = site.desk.guesses_for(items) if request.help else {}
    now = site.standing()
    return Claimed(
        items=[HeldItem(sample_id=item.sample_id, token=item.token) for item in items],
        guesses={name: GuessInfo(**asdict(guess)) for name, guess in guesses.items()},
        lease_s=site.desk.leasing.duration_s,
        ended=now.stop_reason is not None,
        standing=now,
    )


@router.post("/labels")
def submit(answer: Answer, site: OfSite, session: OfAnnotator) -> Done:
    """Record a label. On reply it is on disk; the same key again changes nothing."""
    # A name space for each person: nobody's key can stand for another's answer.
    key = f"{session.annotator}/{answer.key}"
    site.desk.submit(_seat(session, answer.client), _item(answer), answer.label, key, answer.suggestion)
    return _done(site)


@router.post("/skips")
def skip(request: SkipRequest, site: OfSite, session: OfAnnotator) -> Done:
    """Set an image aside that nobody can label, or that is broken."""
    site.desk.skip(_seat(session, request.client), _item(request), broken=request.broken)
    return _done(site)


@router.post("/undos")
def undo(request: HeldRequest, site: OfSite, session: OfAnnotator) -> Done:
    """Take an own answer or skip back; the image is in hand again."""
    site.desk.undo(_seat(session, request.client), _item(request))
    return _done(site)


@router.post("/releases")
def release(request: ReleaseRequest, site: OfSite, session: OfAnnotator) -> Done:
    """Let images go, so that others need not wait for the lease to end."""
    site.desk.release(_seat(session, request.client), request.sample_ids)
    return _done(site)


def _seat(session: Session, client: str) -> Seat:
    return Seat(session.annotator, client)


def _item(held: HeldItem) -> Item:
    return Item(held.sample_id, held.token)


def _done(site: Site) -> Done:
    return Done(standing=site.standing())
