"""Leases: who holds what for how long. Short-lived facts beside the journal, which keeps none of them.

An event is for ever; that somebody looks at an image for two minutes is not worth one. A lease is a row that is
replaced in the same transactions in which events are appended, so a claim and an answer are decided in one order.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from budgetal.store.schema import leases_table

DONE = "done"
"""The note of a lease whose work is done, as against one that merely expired."""
_NAMES_A_QUERY = 500
# In place, so that a renewal changes one index and not all; both databases read it.
_REPLACE = sa.text(
    "INSERT INTO leases (name, owner, token, clock, expires_s, note) "
    "VALUES (:name, :owner, :token, :clock, :expires_s, :note) ON CONFLICT (name) DO UPDATE SET "
    "owner = excluded.owner, token = excluded.token, clock = excluded.clock, expires_s = excluded.expires_s, "
    "note = excluded.note"
)
_COLUMNS = leases_table.columns.keys()


@dataclass(frozen=True)
class Instant:
    """Seconds on one clock. Instants of different clocks cannot be compared."""

    clock: str
    seconds: float


Clock = Callable[[], Instant]


@dataclass(frozen=True)
class Lease:
    """That `owner` holds `name` until `expires`, unless it is renewed.

    token: the fencing token, one more each time that the lease changes hands; rows are never removed, so a token
    never comes twice. note: what the holder says of itself, as JSON.
    """

    name: str
    owner: str
    token: int
    expires: Instant
    note: str = ""

    def is_live(self, now: Instant) -> bool:
        """Whether it still holds. A lease of another clock, from before a restart of the machine, does not."""
        return self.owner != "" and self.expires.clock == now.clock and now.seconds < self.expires.seconds


def host_clock() -> Instant:
    """Seconds since this machine was started, which all its processes share and nobody can set back."""
    return Instant(_boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME))


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def select_leases(connection: sa.Connection, names: Sequence[str]) -> dict[str, Lease]:
    """The leases that exist among `names`, live or not."""
    found: dict[str, Lease] = {}
    for start in range(0, len(names), _NAMES_A_QUERY):
        some = names[start : start + _NAMES_A_QUERY]
        for row in connection.execute(sa.select(leases_table).where(leases_table.c.name.in_(some))):
            found[row.name] = Lease(row.name, row.owner, row.token, Instant(row.clock, row.expires_s), row.note)
    return found


def select_owners(connection: sa.Connection, now: Instant, besides: str | None) -> dict[str, str]:
    """Owners of all names that are held at `now`, and of those that `besides` held last and is not done with."""
    lease = leases_table.c
    held = sa.and_(lease.clock == now.clock, lease.expires_s > now.seconds)
    unfinished = sa.and_(lease.owner == besides, lease.note != DONE)
    query = sa.select(lease.name, lease.owner).where(held if besides is None else sa.or_(held, unfinished))
    return {name: owner for name, owner in connection.execute(query).all() if owner}


def replace_leases(connection: sa.Connection, leases: Sequence[Lease]) -> None:
    """Write `leases`, each in place of the one of its name."""
    if leases:
        connection.execute(_REPLACE, [_row(lease) for lease in leases])


def _row(lease: Lease) -> dict[str, object]:
    values = (lease.name, lease.owner, lease.token, lease.expires.clock, lease.expires.seconds, lease.note)
    return dict(zip(_COLUMNS, values, strict=True))
