"""Name → object, with duplicate names refused and unknown names answered by a suggestion."""

import difflib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from budgetal.errors import ConfigError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named objects of one kind, e.g. `Registry[QueryStrategy]("strategy")`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}
        self._makers: dict[str, Callable[[str], T]] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that files its argument under `name`. Raises ValueError when the name is taken."""

        def add(item: T) -> T:
            if name in self._items:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._items[name] = item
            return item

        return add

    def register_prefix(self, prefix: str) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
        """Decorator of a function that makes the object for any name that begins with `prefix`.

        It gets the whole name, at its first use only, and raises ConfigError for one that stands for nothing.
        """

        def add(make: Callable[[str], T]) -> Callable[[str], T]:
            if prefix in self._makers:
                raise ValueError(f"{self.kind}s {prefix!r} are registered twice")
            self._makers[prefix] = make
            return make

        return add

    def __getitem__(self, name: str) -> T:
        if name not in self._items:
            self._items[name] = self._made(name)
        return self._items[name]

    def _made(self, name: str) -> T:
        make = next((make for prefix, make in self._makers.items() if name.startswith(prefix)), None)
        if make is None:
            raise ConfigError(unknown_name(self.kind, name, list(self._items)))
        return make(name)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._items))


def unknown_name(kind: str, name: str, known: list[str]) -> str:
    """The one line that answers a misspelt name."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose one of: {', '.join(sorted(known))}"
    return f"Unknown {kind} {name!r}: {hint}"
