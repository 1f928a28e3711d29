"""Labels as JSON lines."""

import json
from collections.abc import Sequence
from pathlib import Path

from budgetal.export.labels import EXPORTERS, LabelRow, Resolve, check_file_place, rows_per_path
from budgetal.files import write_atomic


@EXPORTERS.register("jsonl")
def export_jsonl(rows: Sequence[LabelRow], out: Path, _resolve: Resolve | None) -> None:
    """UTF-8, one object a path, keys as the columns of the CSV, null for what is not known."""
    check_file_place(out)
    lines = (json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n" for record in rows_per_path(rows))
    write_atomic(out, "".join(lines).encode())
