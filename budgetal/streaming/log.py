"""What a stream leaves in its folder: three tables, copies, and the checkpoint that says how much of it counts.

The tables grow at the end; `stream.json` is replaced whole after them and holds their sizes. What a killed
run wrote beyond these sizes is cut off, so every image is decided on, and paid for, once.
"""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from budgetal.cells import escape_cell
from budgetal.errors import DataError, StorageError
from budgetal.files import write_atomic
from budgetal.types import Json

FORMAT = 1
CHECKPOINT = "stream.json"
DECISIONS, TO_LABEL, QUARANTINED = "decisions.csv", "to_label.csv", "quarantined.csv"
OUTLIERS = "outliers.csv"
COPIES = "to_label"
COLUMNS = {
    DECISIONS: ("path", "sample_id", "query", "uncertainty", "threshold", "has_budget", "spending", "n_queried"),
    TO_LABEL: ("path", "sample_id", "uncertainty"),
    QUARANTINED: ("path", "reason"),
    OUTLIERS: ("path", "sample_id", "outlier_score"),
}
Rows = Mapping[str, Sequence[tuple[Json, ...]]]
"""New rows of each table, in the order of its columns."""


@dataclass(frozen=True)
class Checkpoint:
    """How far a stream is: `settings` it was begun with, the selector, the last file, sizes of the tables."""

    settings: dict[str, Any]
    selector: dict[str, Any]
    last_path: str | None = None
    n_quarantined: int = 0
    n_outliers: int = 0
    sizes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))


def begin(folder: Path, checkpoint: Checkpoint) -> Checkpoint:
    """Write the first checkpoint, before all else. Raises DataError for tables or copies of another origin."""
    foreign = [name for name in (*COLUMNS, COPIES) if os.path.lexists(folder / name)]
    if foreign:
        raise DataError(f"{folder / foreign[0]} exists, but no {CHECKPOINT} beside it: choose another folder")
    _write(folder, checkpoint)
    return checkpoint


def load(folder: Path) -> Checkpoint | None:
    """The checkpoint of an earlier run, with the tables cut to what it counts; None when there is none.

    Raises StorageError when it is damaged or a table is shorter than it says.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.pop("format") != FORMAT:
            raise ValueError("the format is another version's")
        # Streams that were begun before there was a table of outliers have none yet.
        stored["sizes"] = {OUTLIERS: 0, **stored["sizes"]}
        checkpoint = _checked(Checkpoint(**stored))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageError(f"{path} is damaged: {error}") from None
    for name in COLUMNS:
        _cut(folder / name, checkpoint.sizes[name])
    return checkpoint


def commit(folder: Path, checkpoint: Checkpoint, rows: Rows) -> Checkpoint:
    """Append `rows` to the tables, then make `checkpoint` the one in force; returns it with the new sizes."""
    sizes = {name: _append(folder / name, COLUMNS[name], rows.get(name, ())) for name in COLUMNS}
    committed = replace(checkpoint, sizes=sizes)
    _write(folder, committed)
    return committed


def _checked(read: Checkpoint) -> Checkpoint:
    dictionaries, counts = (read.settings, read.selector, read.sizes), (read.n_quarantined, read.n_outliers)
    if not all(isinstance(value, dict) for value in dictionaries) or set(read.sizes) != set(COLUMNS):
        raise ValueError("settings, selector or sizes are not complete")
    if not all(isinstance(count, int) and count >= 0 for count in (*counts, *read.sizes.values())):
        raise ValueError("a size is no number")
    if not isinstance(read.last_path, str | None):
        raise ValueError("the last path is no text")
    return read


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    write_atomic(folder / CHECKPOINT, (json.dumps({"format": FORMAT, **asdict(checkpoint)}, indent=1) + "\n").encode())


def _append(path: Path, columns: Sequence[str], rows: Sequence[tuple[Json, ...]]) -> int:
    text = io.StringIO(newline="")
    with path.open("ab") as file:
        writer = csv.writer(text, lineterminator="\r\n")
        if file.tell() == 0:
            writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _cell(value: Json) -> Json:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return round(value, 6)
    return escape_cell(value) if isinstance(value, str) else value


def _cut(path: Path, size: int) -> None:
    if not path.exists() and size == 0:
        return
    found = path.stat().st_size if path.exists() else 0
    if found < size:
        raise StorageError(f"{path} is damaged: {found:,} bytes, but {size:,} were written")
    os.truncate(path, size)
