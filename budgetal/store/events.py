"""What the journal holds: events, whose data is plain JSON and is checked before it is written."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from budgetal.types import Json

_ENCODER = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True)
class NewEvent:
    """An event to append. `key`, unique within the journal, makes a repeated append harmless."""

    kind: str
    data: Mapping[str, Json]
    key: str | None = None


@dataclass(frozen=True)
class Event:
    """An event of the journal. `seq` counts 1, 2, 3, … without gaps and decides the order.

    The time is the writer's clock, which may step.
    """

    seq: int
    time_unix_s: float
    kind: str
    data: Mapping[str, Json]
    key: str | None


def check_names(event: NewEvent) -> None:
    """Raise ValueError when the kind or the key is not text that every database stores."""
    _check_name("kind", event.kind)
    if event.key is not None:
        _check_name("key", event.key)


def canonical_json(data: Mapping[str, Json]) -> str:
    """The one JSON text of `data`: keys sorted, ASCII, so that equal data is equal text.

    Raises ValueError naming the field that JSON cannot keep (NaN, a set, a key that is no text).
    """
    plain = dict(data)
    _check_value("data", plain)
    return _ENCODER.encode(plain)


def _check_name(field: str, name: str) -> None:
    # PostgreSQL refuses NUL and both databases refuse lone surrogates (a file name that is not UTF-8).
    if not isinstance(name, str) or not name or "\0" in name or not _is_unicode(name):
        raise ValueError(f"Cannot record an event whose {field} is {name!r}: it needs to be non-empty text")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_value(field: str, value: object) -> None:
    if isinstance(value, dict):
        _check_object(field, value)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _check_value(f"{field}[{position}]", item)
    elif isinstance(value, float):
        _check_number(field, value)
    elif value is not None and not isinstance(value, str | int):
        raise ValueError(f"Cannot record {field} = {value!r}: {type(value).__name__} is not a JSON type")


def _check_object(field: str, value: dict[object, object]) -> None:
    for name, item in value.items():
        if not isinstance(name, str):
            raise ValueError(f"Cannot record {field}: its key {name!r} is not text")
        _check_value(f"{field}.{name}", item)


def _check_number(field: str, value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"Cannot record {field} = {value}: JSON has finite numbers only")
