"""A folder of images, nested as people like; a folder for each class makes a labelled tree."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from budgetal.data.safety import IMAGE_SUFFIXES, REFUSED_SUFFIXES, printable, refusal
from budgetal.types import Quarantined


@dataclass(frozen=True)
class Entry:
    """An image file that may be opened: its path relative to the root, and its label if known."""

    path: str
    label: str | None = None


def list_folder(root: Path, labelled: bool) -> tuple[list[Entry], list[Quarantined]]:
    """Find the image files under `root`, a real path; hidden and other files are no images.

    With `labelled`, and only if all images lie below two or more subfolders, the subfolder's name is the
    label (the ImageFolder convention). Entries come sorted by path.
    """
    entries: list[str] = []
    quarantined: list[Quarantined] = []
    for path, trouble in _walk(root):
        reason = trouble or refusal(root, path)
        if reason is None:
            entries.append(path)
        else:
            quarantined.append(Quarantined(printable(path), reason))
    entries.sort()
    is_tree = labelled and _is_labelled_tree(entries)
    return [Entry(path, path.split("/")[0] if is_tree else None) for path in entries], quarantined


def _is_labelled_tree(paths: list[str]) -> bool:
    return all("/" in path for path in paths) and len({path.split("/")[0] for path in paths}) >= 2


def _walk(root: Path) -> Iterator[tuple[str, str | None]]:
    """Paths of image files relative to `root`, and what is wrong where a folder cannot be entered."""
    errors: list[OSError] = []
    for folder, subfolders, names in os.walk(root, onerror=errors.append):
        relative = Path(folder).relative_to(root)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield from _linked_folders(root, relative, subfolders)
        yield from ((_join(relative, name), None) for name in sorted(names) if _is_image_name(name))
    for error in errors:
        path = Path(error.filename).relative_to(root)
        yield path.as_posix(), f"the folder cannot be read: {error.strerror}"


def _linked_folders(root: Path, folder: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if (root / folder / name).is_symlink():
            yield _join(folder, name), "a symbolic link to a folder is not followed"


def _is_image_name(name: str) -> bool:
    suffix = Path(name).suffix.lower()
    return not name.startswith(".") and (suffix in IMAGE_SUFFIXES or suffix in REFUSED_SUFFIXES)


def _join(folder: Path, name: str) -> str:
    return (folder / name).as_posix()
