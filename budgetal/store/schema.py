"""The journal's tables as this version knows them, and the way between rows and events."""

import json
import zlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from budgetal.errors import StorageError
from budgetal.store.events import Event, NewEvent, canonical_json

#: Equal to the newest file of migrations/versions. Raise it with each migration.
SCHEMA_VERSION = 4

metadata = sa.MetaData()
events_table = sa.Table(
    "events",
    metadata,
    # SQLite's row id, so that events lie in the order in which they are read.
    sa.Column(
        "seq",
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("time_unix_s", sa.Double(), nullable=False),
    sa.Column("kind", sa.Text(), nullable=False),
    sa.Column("key", sa.Text(), nullable=True, unique=True),
    sa.Column("data", sa.Text(), nullable=False),
    # SQLite does not notice a flipped bit in a value; a label must not change silently.
    sa.Column("checksum", sa.BigInteger(), nullable=False),
)
leases_table = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("owner", sa.Text(), nullable=False),
    sa.Column("token", sa.BigInteger(), nullable=False),
    sa.Column("clock", sa.Text(), nullable=False),
    sa.Column("expires_s", sa.Double(), nullable=False),
    sa.Column("note", sa.Text(), nullable=False),
    # A row stays for every image that was ever handed out; who claims asks for the few in hand.
    sa.Index("leases_in_hand", "clock", "expires_s"),
    sa.Index("leases_by_owner", "owner", "note"),
)
kept_table = sa.Table(
    "kept",
    metadata,
    sa.Column("kind", sa.Text(), primary_key=True),
    sa.Column("name", sa.Text(), primary_key=True),
    sa.Column("data", sa.Text(), nullable=False),
)

Row: TypeAlias = tuple[int, float, str, str | None, str, int]


def to_row(event: NewEvent, seq: int, time_unix_s: float) -> Row:
    """The row that stores `event`. Raises ValueError naming a field of its data that JSON cannot keep."""
    data = canonical_json(event.data)
    return (
        seq,
        time_unix_s,
        event.kind,
        event.key,
        data,
        _checksum(seq, time_unix_s, event.kind, event.key, data),
    )


def to_event(row: Sequence[Any]) -> Event:
    """The event that `row` stores. Raises StorageError when the row is not what was written."""
    seq, time_unix_s, kind, key, data, checksum = row
    if checksum != _checksum(seq, time_unix_s, kind, key, data):
        raise StorageError(f"The journal is damaged at event {seq}: restore it from a backup")
    return Event(seq, time_unix_s, kind, json.loads(data), key)


def _checksum(seq: int, time_unix_s: float, kind: str, key: str | None, data: str) -> int:
    # No field holds a NUL and a key is never empty, so different events are different text.
    return zlib.crc32("\0".join((str(seq), repr(time_unix_s), kind, key or "", data)).encode())
