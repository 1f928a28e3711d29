"""The index of a collection as one Parquet file: samples, quarantine and classes, without pixels."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from budgetal.data.collection import Collection
from budgetal.errors import StorageError
from budgetal.files import write_atomic
from budgetal.types import Quarantined, Sample

_SCHEMA = pa.schema(
    [
        # Null for a quarantined file.
        pa.field("sample_id", pa.string()),
        pa.field("paths", pa.list_(pa.string()), nullable=False),
        pa.field("label", pa.string()),
        # Null for a sample.
        pa.field("reason", pa.string()),
    ]
)


def save_index(collection: Collection, path: Path) -> None:
    """Write the collection's samples, quarantine and classes to `path`, whole or not at all.

    Raises StorageError when it cannot be written.
    """
    rows = [
        *({"sample_id": s.sample_id, "paths": list(s.paths), "label": s.label} for s in collection.samples),
        *({"paths": [entry.path], "reason": entry.reason} for entry in collection.quarantined),
    ]
    schema = _SCHEMA.with_metadata({"classes": json.dumps(collection.classes)})
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), buffer)
    try:
        write_atomic(path, buffer.getvalue())
    except OSError as error:
        raise StorageError(f"Cannot write the index {path}: {error.strerror}") from error


def load_index(path: Path) -> tuple[tuple[Sample, ...], tuple[Quarantined, ...], tuple[str, ...]]:
    """Read what `save_index` wrote: samples, quarantined files, classes.

    Raises StorageError when the file is missing or damaged.
    """
    try:
        table = pq.read_table(path)
        rows = table.to_pylist()
        classes = tuple(json.loads(table.schema.metadata[b"classes"]))
        return _samples(rows), _quarantined(rows), classes
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise StorageError(f"Cannot read the index {path}: {error}; index the images again") from None


def _samples(rows: list[dict[str, object]]) -> tuple[Sample, ...]:
    return tuple(
        Sample(row["sample_id"], tuple(row["paths"]), row["label"])  # type: ignore[arg-type]
        for row in rows
        if row["reason"] is None
    )


def _quarantined(rows: list[dict[str, object]]) -> tuple[Quarantined, ...]:
    return tuple(
        Quarantined(row["paths"][0], str(row["reason"]))  # type: ignore[index]
        for row in rows
        if row["reason"] is not None
    )
