"""Strategies of other packages, found by their entry points: installed, they are there."""

import warnings
from importlib.metadata import EntryPoint, entry_points

GROUP = "budgetal.strategies"


def load_plugins() -> tuple[str, ...]:
    """Import every module that an installed package names under `budgetal.strategies`; return the names loaded.

    The module registers its strategies with `@strategy`. One that cannot be imported is left out with a
    warning: somebody's broken package must not keep a project from opening.
    """
    found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))
    return tuple(entry.name for entry in found if _loaded(entry))


def _loaded(entry: EntryPoint) -> bool:
    try:
        entry.load()
    except Exception as error:
        package = entry.dist.name if entry.dist else "an unknown package"
        warnings.warn(
            f"Strategy plugin {entry.name!r} of {package} was left out: {type(error).__name__}: {error}",
            stacklevel=2,
        )
        return False
    return True
