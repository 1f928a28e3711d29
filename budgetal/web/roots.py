"""Folders on the server that a browser may choose from: below the roots that `serve --root` named, and nothing else."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from budgetal.data.folder import list_folder
from budgetal.errors import ConfigError, DataError
from budgetal.registry import unknown_name

MOST_FOLDERS = 1000


@dataclass(frozen=True)
class Place:
    """A folder as a page shows it. classes: its subfolders where these label the images; n_refused: files set aside."""

    root: str
    names: tuple[str, ...]
    folders: tuple[str, ...]
    n_images: int
    n_refused: int
    classes: tuple[str, ...]


class Roots:
    """Allowed roots by name. A client names a root and folders below it, one by one; it never sends a path."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._roots: dict[str, Path] = {}
        for folder in folders:
            real = Path(os.path.realpath(folder))
            if not real.is_dir():
                raise ConfigError(f"Cannot use --root {folder}: it is no folder")
            self._roots.setdefault(self._free_name(real), real)

    @property
    def names(self) -> tuple[str, ...]:
        """The roots, in the order in which they were given."""
        return tuple(self._roots)

    def folder(self, root: str, names: Sequence[str]) -> Path:
        """The real folder that is meant. Raises DataError for one that is not below a root, or is not shown."""
        if root not in self._roots:
            raise DataError(unknown_name("root", root, list(self._roots)))
        for name in names:
            if not _is_plain(name):
                raise DataError(f"Cannot open {name!r}: name folders one by one, without slashes")
        real = Path(os.path.realpath(self._roots[root].joinpath(*names)))
        # A symbolic link may lead anywhere: what counts is where it ends.
        if not real.is_relative_to(self._roots[root]) or not real.is_dir():
            raise DataError(f"There is no folder {'/'.join(names)} below {root}")
        return real

    def look(self, root: str, names: Sequence[str]) -> Place:
        """What is in a folder: subfolders, and the images in and below it. Raises DataError as `folder`."""
        real = self.folder(root, names)
        entries, refused = list_folder(real, labelled=True)
        labels = sorted({entry.label for entry in entries if entry.label is not None})
        return Place(root, tuple(names), _subfolders(real), len(entries), len(refused), tuple(labels))

    def _free_name(self, real: Path) -> str:
        name, n = real.name or "root", 1
        while name in self._roots and self._roots[name] != real:
            n += 1
            name = f"{real.name} ({n})"
        return name


def _is_plain(name: str) -> bool:
    # Drive letters and streams of other systems have a colon.
    forbidden = {"/", "\\", "\0", ":"}
    return bool(name) and not name.startswith(".") and not forbidden & set(name)


def _subfolders(folder: Path) -> tuple[str, ...]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _is_plain(entry.name) and entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        raise DataError(f"Cannot read {folder.name}: {error.strerror}") from None
    return tuple(sorted(name for name in names if name.isprintable())[:MOST_FOLDERS])
