"""Labels as a folder a class, as torchvision's ImageFolder and many trainers read them."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from budgetal.errors import DataError
from budgetal.export.labels import EXPORTERS, LabelRow, Resolve
from budgetal.export.names import free_name, safe_name, safe_names
from budgetal.files import sync_folder, write_atomic
from budgetal.types import NONE_OF_THESE

CLASSES_FILE = "classes.json"
"""Folder name → label, because a label need not be a legal folder name."""


@EXPORTERS.register("imagefolder")
def export_imagefolder(rows: Sequence[LabelRow], out: Path, resolve: Resolve | None) -> None:
    """`out`/label/name for every path: a hard link where the file system allows it, else a copy.

    Possible outliers go to `out`/none of these, with those that people found.

    Built beside `out` and renamed at the end, so `out` is whole or as it was. Raises DataError when
    `out` is not empty, a file is missing, or the images are not files (`resolve` is None).
    """
    if resolve is None:
        raise DataError("Cannot export as 'imagefolder': the images are arrays, not files. Use csv or parquet")
    _check_empty(out)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as temporary:
        staging = Path(temporary, "images")
        _build(rows, staging, resolve)
        # Replaces an empty folder in one step; POSIX refuses one that has filled up in the meantime.
        os.replace(staging, out)
    sync_folder(out.parent)


def _check_empty(out: Path) -> None:
    is_empty_folder = out.is_dir() and not out.is_symlink() and not any(out.iterdir())
    if not is_empty_folder and (out.exists() or out.is_symlink()):
        raise DataError(f"Cannot export to {out}: it exists and is not an empty folder. Choose a new name")


def _build(rows: Sequence[LabelRow], staging: Path, resolve: Resolve) -> None:
    folders = safe_names((_folder(row) for row in rows), taken=[CLASSES_FILE])
    staging.mkdir()
    for folder in folders.values():
        (staging / folder).mkdir()
    for row, path, name in _placed(rows):
        _place(resolve(path), staging / folders[_folder(row)] / name, path)
    labels = {folder: label for label, folder in sorted(folders.items())}
    write_atomic(staging / CLASSES_FILE, json.dumps(labels, indent=2).encode())


def _folder(row: LabelRow) -> str:
    """The label, but for possible outliers: they would spoil the class that they look like most."""
    if row.provenance == "broken image":
        return "broken image"
    return NONE_OF_THESE if row.provenance == "possible outlier" else row.label


def _placed(rows: Sequence[LabelRow]) -> list[tuple[LabelRow, str, str]]:
    """Every path with a file name of its own within its label; the sample id settles a clash."""
    used: dict[str, set[str]] = {}
    placed = []
    for row in sorted(rows, key=lambda row: row.sample_id):
        for path in row.paths:
            taken = used.setdefault(_folder(row), set())
            placed.append((row, path, _file_name(path, row.sample_id, taken)))
    return placed


def _file_name(path: str, sample_id: str, taken: set[str]) -> str:
    name = safe_name(path.replace("\\", "/").rsplit("/", 1)[-1])
    if name.casefold() in taken:
        parts = PurePosixPath(name)
        name = f"{parts.stem}-{safe_name(sample_id)[:12]}{parts.suffix}"
    return free_name(name, taken)


def _place(source: Path, target: Path, path: str) -> None:
    # The link must be to the file itself: a link to a symbolic link would break with it.
    file = Path(os.path.realpath(source))
    if not file.is_file():
        raise DataError(f"Cannot export {path!r}: {file} is not a file any more. Put it back, or index again")
    try:
        os.link(file, target)
    except OSError:
        _copy(file, target)


def _copy(file: Path, target: Path) -> None:
    with file.open("rb") as source, target.open("xb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        os.fsync(copy.fileno())
