"""A manifest: a CSV or Parquet table of `path` and, optionally, `label`."""

import os
from pathlib import Path

from budgetal.data.folder import Entry
from budgetal.data.safety import printable, refusal
from budgetal.data.tables import read_table
from budgetal.errors import DataError
from budgetal.types import Quarantined


def list_manifest(manifest: Path, root: Path, labelled: bool) -> tuple[list[Entry], list[Quarantined]]:
    """Read the image files that `manifest` names, relative to `root`, its folder; sorted by path.

    `root` must be a real path. An empty label means unlabelled. Raises DataError without a path column
    or when files are missing.
    """
    columns = read_table(manifest)
    if "path" not in columns:
        found = ", ".join(columns) or "none"
        raise DataError(f"The manifest {manifest} has no column 'path'; its columns: {found}")
    labels = columns.get("label", [""] * len(columns["path"])) if labelled else [""] * len(columns["path"])
    rows = sorted(set(zip(columns["path"], labels, strict=True)))
    _refuse_missing(manifest, root, [path for path, _ in rows])
    return _split(root, rows)


def _refuse_missing(manifest: Path, root: Path, paths: list[str]) -> None:
    missing = [path for path in paths if not path or not os.path.lexists(root / path)]
    if missing:
        raise DataError(
            f"The manifest {manifest} names {len(missing)} of {len(paths)} files that do not exist, "
            f"the first: {missing[0]!r}; paths are relative to the manifest's folder"
        )


def _split(root: Path, rows: list[tuple[str, str]]) -> tuple[list[Entry], list[Quarantined]]:
    entries: list[Entry] = []
    quarantined: list[Quarantined] = []
    for path, label in rows:
        reason = refusal(root, path)
        if reason is None:
            entries.append(Entry(path, label or None))
        else:
            quarantined.append(Quarantined(printable(path), reason))
    return entries, quarantined
