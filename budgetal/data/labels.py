"""Labels from a file, for a run in which a table plays the person."""

from pathlib import Path

from budgetal.cells import unescape_cell
from budgetal.data.tables import read_table
from budgetal.errors import DataError

_KEYS = ("sample_id", "id", "path")


def read_labels(path: Path) -> dict[str, str]:
    """Read a CSV or Parquet table of labels as key → label, the key a sample id or an image's path.

    The key column is `sample_id`, `id` or `path`, the first of them that exists; rows without a label
    are left out. Raises DataError for missing columns or two different labels of one key.
    """
    columns = read_table(path)
    key = next((name for name in _KEYS if name in columns), None)
    if key is None or "label" not in columns:
        found = ", ".join(columns) or "none"
        raise DataError(f"{path} needs a column 'label' and one of {', '.join(_KEYS)}; its columns: {found}")
    if "provenance" in columns and path.suffix.lower() == ".csv":  # Written by `budgetal export`.
        columns = {column: [unescape_cell(cell) for cell in cells] for column, cells in columns.items()}
    labels: dict[str, str] = {}
    for name, label in zip(columns[key], columns["label"], strict=True):
        if label and labels.setdefault(name, label) != label:
            raise DataError(f"{path} gives {name!r} two labels: {labels[name]!r} and {label!r}")
    return labels
