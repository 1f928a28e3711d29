"""Files named by the hash of their content: written whole or not at all, checked before use."""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from budgetal.errors import StorageError
from budgetal.files import sync_folder

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*-(?P<hash>[0-9a-f]{32})\.(npy|safetensors)")
_TEMPORARY = re.compile(r"\.budgetal-[a-z0-9_]+\.tmp")
_CHUNK_BYTES = 2**20


class Sink(Protocol):
    """What content is written to."""

    def write(self, content: bytes, /) -> int:
        """Take the next bytes; return how many."""
        ...


class _HashingFile:
    """A file that keeps the hash of what should be in it, whatever the disk then makes of it."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb")
        self.hash = _new_hash()

    def write(self, content: bytes, /) -> int:
        self.hash.update(content)
        return self._file.write(content)

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def write_hashed(folder: Path, name: str, suffix: str, fill: Callable[[Sink], object]) -> str:
    """Write what `fill` writes to `<name>-<hash><suffix>` and return that name.

    A file of that name is replaced by its equal, which also mends a damaged one. Raises ValueError for a
    name that is no plain word, OSError when writing fails; then the folder is as before.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"Cannot name an array {name!r}: use letters, digits, - and _")
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".budgetal-", suffix=".tmp")
    file = _HashingFile(descriptor)
    try:
        # Held until the rename; a temporary file that nobody locks belongs to a dead writer.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        fill(file)
        file.sync()
        ref = f"{name}-{file.hash.hexdigest()}{suffix}"
        os.replace(temporary, folder / ref)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    finally:
        file.close()
    sync_folder(folder)
    return ref


def expected_hash(ref: str) -> str:
    """The hash in a ref. Raises StorageError for a name that `write_hashed` never gives (a path)."""
    match = _REF.fullmatch(ref)
    if match is None:
        raise StorageError(f"{ref!r} is not the name of a stored array")
    return match["hash"]


def is_ref(name: str) -> bool:
    """Whether `write_hashed` gives such names."""
    return _REF.fullmatch(name) is not None


def file_hash(path: Path) -> str:
    """Hash of a file's bytes. Raises OSError."""
    digest = _new_hash()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def is_abandoned(path: Path) -> bool:
    """Whether `path` is a temporary file whose writer is dead."""
    if not _TEMPORARY.fullmatch(path.name):
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _new_hash() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=16)
