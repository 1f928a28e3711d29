"""What happens, as it happens: server-sent events from the journal."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from budgetal.store.events import Event
from budgetal.types import Json
from budgetal.web.access import OfAnnotator
from budgetal.web.site import OfSite, Site

router = APIRouter(prefix="/api/v1", tags=["watching"])

MOST_AT_ONCE = 500
LOOK_UP_S = 1.0
SHOWN: Mapping[str, tuple[str, ...]] = {
    "labelled": ("annotator",),
    "epoch_ended": ("round", "epoch", "train_loss", "train_accuracy"),
    "fitted": ("round", "train_loss"),
    "predicted": ("round",),
    "auto_labelled": ("round", "n", "n_added", "n_taken_back"),
    "round_ended": ("round", "n_human", "n_auto", "coverage", "train_loss", "audit_accuracy", "upper_bound"),
    "stopped": ("reason",),
}
"""What is told of each kind. Of all others only that they were: which images are in the audit stays untold."""


@router.get("/events", response_class=EventSourceResponse)
async def events(
    site: OfSite,
    session: OfAnnotator,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    last_event_id: Annotated[str | None, Header(pattern=r"^[0-9]{1,15}$")] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Events after number `after`, then each new one; a reader that reconnects goes on where it was.

    `journal` events carry their number; `learner` says what the learner does and is not numbered.
    """
    seq, told_of = int(last_event_id or after), ""
    yield ServerSentEvent(comment="here", retry=1000)
    while not (site.watcher.is_closing() or site.sessions.is_over(session)):
        # As text: browsers pass over an event without data, and null says that no learner is there any more.
        learner = json.dumps(site.watcher.learner)
        if learner != told_of:
            told_of = learner
            yield ServerSentEvent(event="learner", raw_data=learner)
        found = await _new_events(site, seq)
        for event in found:
            seq = event.seq
            yield ServerSentEvent(event="journal", id=str(seq), data=told(event))
        if not found:
            await site.watcher.change(LOOK_UP_S)


def told(event: Event) -> dict[str, Json]:
    """What pages are told of an event."""
    fields = {name: event.data.get(name) for name in SHOWN.get(event.kind, ())}
    return {"seq": event.seq, "kind": event.kind, "time_unix_s": event.time_unix_s, **fields}


async def _new_events(site: Site, seq: int) -> list[Event]:
    if site.watcher.last_seq <= seq:
        return []
    return await asyncio.to_thread(site.watcher.events_after, seq, MOST_AT_ONCE)
