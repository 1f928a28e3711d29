"""Content ids of many files, remembered by size and modification time as git's index does."""

import hashlib
import io
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from budgetal.data.collection import Item
from budgetal.data.folder import Entry
from budgetal.data.images import content_id
from budgetal.data.parallel import ordered_map
from budgetal.files import write_atomic
from budgetal.types import Quarantined

# A file changed twice within a clock tick keeps its time; younger files are therefore hashed again.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class Stamp:
    """A file's size, times and inode when its id was taken. Nobody can set the change time back."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    sample_id: str

    def fits(self, status: os.stat_result) -> bool:
        """Whether a file with this status still has the bytes that were hashed."""
        now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        return now == (self.size, self.modified_ns, self.changed_ns, self.inode)


def identify(root: Path, entries: Iterable[Entry], cache: Path | None) -> tuple[list[Item], list[Quarantined]]:
    """Give each file its content id; with `cache`, only new and changed files are read.

    Files that cannot be read are quarantined.
    """
    known = _load(root, cache)
    stamps: dict[str, Stamp] = {}
    items: list[Item] = []
    unreadable: list[Quarantined] = []

    def stamp(entry: Entry) -> tuple[Entry, Stamp | str]:
        return entry, _stamp(root / entry.path, known.get(entry.path))

    for entry, result in ordered_map(stamp, entries):
        if isinstance(result, Stamp):
            stamps[entry.path] = result
            items.append(Item(entry.path, result.sample_id, entry.label))
        else:
            unreadable.append(Quarantined(entry.path, result))
    if cache is not None and stamps != known:
        _save(root, cache, stamps)
    return items, unreadable


def _stamp(path: Path, known: Stamp | None) -> Stamp | str:
    """The file's stamp, or why it cannot be read."""
    try:
        status = path.stat()
        if known is not None and known.fits(status):
            return known
        sample_id = content_id(path.read_bytes())
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, sample_id)


def _file(root: Path, cache: Path) -> Path:
    name = hashlib.blake2b(os.fsencode(root), digest_size=8).hexdigest()
    return cache / f"hashes-{name}.parquet"


def _load(root: Path, cache: Path | None) -> dict[str, Stamp]:
    """What an earlier run remembered; nothing when that is missing or damaged: it is only a cache."""
    if cache is None:
        return {}
    try:
        table = pq.read_table(_file(root, cache))
        return {row.pop("path"): Stamp(**row) for row in table.to_pylist()}
    except (OSError, pa.ArrowException, TypeError, KeyError):
        return {}


def _save(root: Path, cache: Path, stamps: Mapping[str, Stamp]) -> None:
    settled = time.time_ns() - _SETTLED_NS
    rows = [
        {"path": path, **vars(stamp)}
        for path, stamp in stamps.items()
        if max(stamp.modified_ns, stamp.changed_ns) < settled
    ]
    if not rows:
        return
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    write_atomic(_file(root, cache), buffer.getvalue())
