"""The model's help: grids of look-alikes with its guesses, why an image was asked, and what more labels would bring."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path

from budgetal.desk import Seat
from budgetal.web.access import OfAnnotator
from budgetal.web.help_records import NoReason, Outlook, ReasonInfo
from budgetal.web.item_records import GuessInfo, HeldItem, Screen, ScreenRequest
from budgetal.web.site import OfSite

router = APIRouter(prefix="/api/v1", tags=["labelling"])

BLIND = (
    "This image is answered without help. Some always are, chosen by lot or because people's own eyes are measured "
    "with them; and all are while there is no model yet."
)


@router.post("/grids")
def grid(request: ScreenRequest, site: OfSite, session: OfAnnotator) -> Screen:
    """Get look-alikes to answer together, each with the model's guess; or images to answer one by one, without it.

    `besides` are images in hand already: their leases are renewed, and they are left out.
    """
    seat = Seat(session.annotator, request.client)
    items, guesses = site.desk.claim_screen(seat, request.n, request.besides)
    now = site.standing()
    return Screen(
        items=[HeldItem(sample_id=item.sample_id, token=item.token) for item in items],
        guesses={name: GuessInfo(**asdict(guess)) for name, guess in guesses.items()},
        is_grid=bool(guesses),
        lease_s=site.desk.leasing.duration_s,
        ended=now.stop_reason is not None,
        standing=now,
    )


@router.get("/reasons/{sample_id}")
def reason(
    sample_id: Annotated[str, Path(pattern=r"^[0-9a-f]{8,64}$")], site: OfSite, _session: OfAnnotator
) -> ReasonInfo | NoReason:
    """Why an open image was asked. Of one that people answer by themselves nothing is told."""
    found = site.desk.reason(sample_id)
    return NoReason(note=BLIND) if found is None else ReasonInfo.model_validate(asdict(found))


@router.get("/outlook")
def outlook(site: OfSite, _session: OfAnnotator) -> Outlook:
    """What the next labels are expected to bring, from the forecast; read anew after each round."""
    return site.outlook.now()
