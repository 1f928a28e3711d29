"""Image files as a stream: in the order of their paths, a chunk at a time, each read once."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from budgetal.data.folder import Entry, list_folder
from budgetal.data.images import content_id, decode
from budgetal.data.ingest import no_image
from budgetal.data.manifest import list_manifest
from budgetal.data.parallel import ordered_map
from budgetal.data.tables import TABLE_SUFFIXES
from budgetal.errors import DataError
from budgetal.types import Quarantined


@dataclass(frozen=True)
class StreamFile:
    """A file of the stream. `refusal` says why it must not be opened, None that it may."""

    path: str
    refusal: str | None = None


@dataclass(frozen=True)
class StreamChunk:
    """The next files that were read: pixels uint8 (n, side, side, 3), and what could not be used.

    `last_path` is the last file of the chunk, usable or not; all before it are done.
    """

    paths: tuple[str, ...]
    sample_ids: tuple[str, ...]
    pixels: NDArray[np.uint8]
    quarantined: tuple[Quarantined, ...]
    last_path: str


@dataclass(frozen=True)
class FileStream:
    """The files below `root`, sorted by path."""

    root: Path
    files: tuple[StreamFile, ...]

    def parts(self, size: int, after: str | None = None) -> list[tuple[StreamFile, ...]]:
        """The files behind `after` in parts of `size`; the last may be smaller."""
        files = self.files[self.n_before(after) :]
        return [files[start : start + size] for start in range(0, len(files), size)]

    def n_before(self, after: str | None) -> int:
        """Files up to and with the path `after`."""
        return 0 if after is None else sum(file.path <= after for file in self.files)

    def read(self, files: Sequence[StreamFile], side: int) -> StreamChunk:
        """Decode one part as squares of `side` pixels; files that cannot be used are set aside with the reason."""

        def attempt(file: StreamFile) -> tuple[str, NDArray[np.uint8]] | Quarantined:
            return _read(self.root, file, side)

        found = list(zip(files, ordered_map(attempt, files), strict=True))
        good = [(file.path, *result) for file, result in found if not isinstance(result, Quarantined)]
        return StreamChunk(
            paths=tuple(path for path, _, _ in good),
            sample_ids=tuple(sample_id for _, sample_id, _ in good),
            pixels=np.array([image for _, _, image in good], np.uint8).reshape(-1, side, side, 3),
            quarantined=tuple(result for _, result in found if isinstance(result, Quarantined)),
            last_path=files[-1].path,
        )


def open_stream(source: str) -> FileStream:
    """List the image files of a folder or manifest; none is opened yet, and labels are not looked at.

    Raises DataError, one clear line, when there is no such place or no image in it.
    """
    path = Path(source)
    if path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
        root = Path(os.path.realpath(path.parent))
        return _stream(path, root, *list_manifest(path, root, labelled=False))
    if not path.is_dir():
        raise DataError(f"There is no folder or manifest {source}: a stream reads image files")
    if (path / "images.npy").is_file():
        raise DataError(f"{source} holds an array of images: a stream reads image files, or a manifest of them")
    root = Path(os.path.realpath(path))
    return _stream(path, root, *list_folder(root, labelled=False))


def _stream(source: Path, root: Path, entries: list[Entry], refused: list[Quarantined]) -> FileStream:
    if not entries:
        raise DataError(no_image(source, tuple(refused)))
    files = [StreamFile(entry.path) for entry in entries]
    files += [StreamFile(entry.path, entry.reason) for entry in refused]
    return FileStream(root, tuple(sorted(files, key=lambda file: file.path)))


def _read(root: Path, file: StreamFile, side: int) -> tuple[str, NDArray[np.uint8]] | Quarantined:
    if file.refusal is not None:
        return Quarantined(file.path, file.refusal)
    try:
        content = (root / file.path).read_bytes()
        return content_id(content), decode(content, side)
    except OSError as error:
        return Quarantined(file.path, f"cannot be read: {error.strerror}")
    except DataError as error:
        return Quarantined(file.path, str(error))
