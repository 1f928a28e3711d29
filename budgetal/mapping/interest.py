"""Whether somebody looks at the map, and how far the next one is: two leases, which leave no trace in history."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from budgetal.annotators.claims import take
from budgetal.logbook import Logbook
from budgetal.store.leases import Clock, host_clock

LOOKING, DRAWING = "map/looking", "map/drawing"
LOOKING_S = 300.0
"""A map is worth drawing for so long after somebody looked."""
DRAWING_S = 30.0


@dataclass(frozen=True)
class MapProgress:
    """Steps done of the map that is being drawn."""

    done: int
    total: int


def look_again(logbook: Logbook, clock: Clock = host_clock) -> None:
    """Somebody looks at the map now."""
    _lease(logbook, LOOKING, LOOKING_S, {}, clock)


def is_looked_at(logbook: Logbook, clock: Clock = host_clock) -> bool:
    """Whether somebody looked at the map in the last minutes."""
    lease = logbook.leases([LOOKING]).get(LOOKING)
    return lease is not None and lease.is_live(clock())


def say_progress(logbook: Logbook, done: int, total: int, clock: Clock = host_clock) -> None:
    """The map that is being drawn is at step `done` of `total`."""
    _lease(logbook, DRAWING, DRAWING_S if done < total else 0.0, asdict(MapProgress(done, total)), clock)


def map_progress(logbook: Logbook, clock: Clock = host_clock) -> MapProgress | None:
    """How far the map that is being drawn is, or None when none is."""
    lease = logbook.leases([DRAWING]).get(DRAWING)
    if lease is None or not lease.is_live(clock()):
        return None
    return MapProgress(**json.loads(lease.note))


def _lease(logbook: Logbook, name: str, duration_s: float, note: Mapping[str, int], clock: Clock) -> None:
    with logbook.turn() as transaction:
        held = transaction.leases([name]).get(name)
        transaction.lease([take(held, name, name, clock(), duration_s, json.dumps(note))])
