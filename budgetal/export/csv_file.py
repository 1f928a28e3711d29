"""Labels as CSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from budgetal.cells import escape_cell
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


def _cell(value: Cell) -> Cell:
    return escape_cell(value) if isinstance(value, str) else value
