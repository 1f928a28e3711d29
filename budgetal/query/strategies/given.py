"""What a strategy named in its `needs`, and so must be there."""

from typing import TypeVar

_Array = TypeVar("_Array")


def given(array: _Array | None, name: str) -> _Array:
    """`array`, the field `name` of the pool. Raises ValueError where it is missing, which `select` rules out."""
    if array is None:
        raise ValueError(f"The pool has no {name}: name it in the strategy's `needs` and call it through `select`")
    return array
