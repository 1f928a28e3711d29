"""CSV and Parquet files as rows of text."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from budgetal.errors import DataError

TABLE_SUFFIXES = frozenset({".csv", ".parquet"})


def read_table(path: Path) -> dict[str, list[str]]:
    """Read a CSV (with a header line) or Parquet file as column → values; a missing value is "".

    Values stay text, so that the label "007" does not become 7. Raises DataError when it cannot be read.
    """
    if not path.is_file():
        raise DataError(f"{path} is a folder, not a table" if path.is_dir() else f"There is no file {path}")
    try:
        return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise DataError(f"Cannot read the table {path}: {error}") from None


def _read_csv(path: Path) -> dict[str, list[str]]:
    # utf-8-sig: spreadsheets put a byte-order mark before the first column's name.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        names = [name.strip() for name in next(reader, [])]
        if len(set(names)) < len(names):
            raise DataError(f"{path} names a column twice: {', '.join(names)}")
        columns: dict[str, list[str]] = {name: [] for name in names}
        for row in reader:
            if row:
                _append(columns, names, row, f"line {reader.line_num} of {path}")
    return columns


def _append(columns: dict[str, list[str]], names: list[str], row: list[str], where: str) -> None:
    if len(row) != len(names):
        raise DataError(f"{where} has {len(row)} values, but the header names {len(names)} columns")
    for name, value in zip(names, row, strict=True):
        columns[name].append(value.strip())


def _read_parquet(path: Path) -> dict[str, list[str]]:
    # Not read_table, which would add columns for a folder that is called "label=cat".
    table = pq.ParquetFile(path).read()
    return {name: [_text(value) for value in table.column(name).to_pylist()] for name in table.column_names}


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bytes):
        return value.decode()
    # Whole numbers with gaps become floats in many table libraries: 7.0 means the class "7".
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
