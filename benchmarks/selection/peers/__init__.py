"""Other libraries' strategies on the same arrays, so that only their selection is timed.

A peer module has `make_call(strategy, folder)`, which loads the data and returns a call that answers with pool rows,
and `CALLS`, what it has for each of our strategies.
"""

import importlib
import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

MODULES = {"scikit-activeml": "scikit_activeml", "modAL-python": "modal", "small-text": "small_text"}


class Peer(Protocol):
    """A module of this package."""

    CALLS: Mapping[str, str]

    def make_call(self, strategy: str, folder: Path) -> Callable[[], np.ndarray]: ...


def load_peer(distribution: str) -> Peer:
    """Raises ImportError where the library is not installed."""
    return importlib.import_module(f"selection.peers.{MODULES[distribution]}")


def installed_peers() -> dict[str, str]:
    """Version of each peer that is installed."""
    versions = {}
    for distribution in MODULES:
        try:
            versions[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
