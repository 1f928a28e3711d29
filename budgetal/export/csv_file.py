"""Labels as CSV, safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from budgetal.export.labels import (
    COLUMNS,
    EXPORTERS,
    Cell,
    LabelRow,
    Resolve,
    check_file_place,
    rows_per_path,
)
from budgetal.files import write_atomic

# A quote mark before the trigger counts too: otherwise "'=x" and an escaped "=x" would read the same.
_TRIGGER = re.compile(r"'*[=+\-@\t\r\n]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")


@EXPORTERS.register("csv")
def export_csv(rows: Sequence[LabelRow], out: Path, _resolve: Resolve | None) -> None:
    """UTF-8, a header line, one line a path; text that a spreadsheet would run is made harmless."""
    check_file_place(out)
    text = io.StringIO(newline="")
    # RFC 4180 line ends; with a lone "\n" Python would not quote a cell that holds "\r".
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for record in rows_per_path(rows):
        writer.writerow([_cell(record[column]) for column in COLUMNS])
    write_atomic(out, text.getvalue().encode())


def escape_cell(text: str) -> str:
    """A quote mark before text that begins with = + - @, tab or line break (CSV injection, OWASP)."""
    return f"'{text}" if _TRIGGER.match(text) else text


def unescape_cell(text: str) -> str:
    """Inverse of `escape_cell`, for those who read the file back."""
    return text[1:] if _ESCAPED.match(text) else text


def _cell(value: Cell) -> Cell:
    return escape_cell(value) if isinstance(value, str) else value
