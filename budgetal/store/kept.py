"""Rows beside the events that are replaced and removed: accounts and invites.

The journal is never rewritten, so it is no place for a password, nor for what somebody may ask to be forgotten.
"""

import json
from collections.abc import Mapping

import sqlalchemy as sa

from budgetal.store.events import canonical_json
from budgetal.store.schema import kept_table
from budgetal.types import Json


def select_kept(connection: sa.Connection, kind: str) -> dict[str, dict[str, Json]]:
    """The rows of `kind`, by name."""
    query = sa.select(kept_table.c.name, kept_table.c.data).where(kept_table.c.kind == kind)
    return {name: json.loads(data) for name, data in connection.execute(query.order_by(kept_table.c.name))}


def replace_kept(connection: sa.Connection, kind: str, name: str, data: Mapping[str, Json] | None) -> None:
    """Write the row in place of the one of its kind and name; None removes it."""
    connection.execute(sa.delete(kept_table).where(kept_table.c.kind == kind, kept_table.c.name == name))
    if data is not None:
        connection.execute(sa.insert(kept_table), {"kind": kind, "name": name, "data": canonical_json(data)})
