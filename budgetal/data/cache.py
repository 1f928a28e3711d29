"""Decoded pixels kept on disk, so that no later round decodes them again.

Three files, named by a hash of the sample ids and the size: `.npy` the pixels, `.crc.npy` a check sum a
row, `.json` what was broken. The last one is written last: while it is missing, nothing counts.
"""

import hashlib
import io
import json
import os
import tempfile
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from budgetal.data.decoding import Broken, Decoded, decode_each, decode_on_read, file_pixels
from budgetal.errors import StorageError
from budgetal.files import sync_folder, write_atomic
from budgetal.types import RowArray, Sample

# Above this the disk is better left alone: files are decoded on each read instead.
MAX_CACHE_BYTES = 16 * 2**30
# Part of the name: a change in how images are decoded must not find the old pixels.
_VERSION = "1"
_ABANDONED_S = 24 * 3600


@dataclass(frozen=True)
class CachedPixels:
    """A memory-mapped array of images whose rows are checked whenever they are read."""

    path: Path
    images: NDArray[np.uint8]
    checks: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.images)

    def read(self, rows: RowArray) -> NDArray[np.uint8]:
        """Return images as uint8, shape (n, side, side, 3). Raises StorageError for a damaged row."""
        images = np.asarray(self.images[rows])
        for image, check in zip(images, self.checks[rows], strict=True):
            if zlib.crc32(image.data) != check:
                raise StorageError(f"{self.path} is damaged: delete it, and it is built again")
        return images


def cached_decode(root: Path, samples: tuple[Sample, ...], side: int, cache: Path) -> Decoded:
    """Decode all samples into the folder `cache`, or find them there from an earlier run.

    Raises OSError when the disk is full or cannot be written; then nothing is left behind.
    """
    base = cache / _name(samples, side)
    found = _load(base, root, samples, side)
    return _build(base, root, samples, side) if found is None else found


def _name(samples: tuple[Sample, ...], side: int) -> str:
    digest = hashlib.blake2b(f"{_VERSION} {side}".encode(), digest_size=16)
    for sample in samples:
        digest.update(sample.sample_id.encode())
    return f"pixels-{digest.hexdigest()}"


def _fits(samples: tuple[Sample, ...], side: int) -> bool:
    return len(samples) * side * side * 3 <= MAX_CACHE_BYTES


def _load(base: Path, root: Path, samples: tuple[Sample, ...], side: int) -> Decoded | None:
    """What an earlier run kept, or None when it is missing, torn or of another shape."""
    try:
        broken = _read_broken(base.with_suffix(".json"))
        if not _fits(samples, side):
            return Decoded(file_pixels(root, samples, side, broken), broken)
        pixels = _open(base)
    except (OSError, ValueError, EOFError, AttributeError):
        return None
    n_images = len(samples) - len(broken)
    if pixels.images.shape != (n_images, side, side, 3) or pixels.checks.shape != (n_images,):
        return None
    return Decoded(pixels, broken)


def _open(base: Path) -> CachedPixels:
    path = base.with_suffix(".npy")
    checks = np.load(base.with_suffix(".crc.npy"), allow_pickle=False)
    # An array without rows cannot be mapped.
    images = np.load(path, mmap_mode="r" if len(checks) else None, allow_pickle=False)
    return CachedPixels(path, images, checks)


def _build(base: Path, root: Path, samples: tuple[Sample, ...], side: int) -> Decoded:
    if not _fits(samples, side):
        decoded = decode_on_read(root, samples, side)
        _write_broken(base.with_suffix(".json"), decoded.broken)
        return decoded
    broken, checks = _stream(base.with_suffix(".npy"), root, samples, side)
    write_atomic(base.with_suffix(".crc.npy"), _npy(checks))
    _write_broken(base.with_suffix(".json"), broken)
    return Decoded(_open(base), broken)


def _read_broken(path: Path) -> dict[str, Broken]:
    reasons = json.loads(path.read_text(encoding="utf-8"))
    return {sample_id: Broken(reason, is_lasting=True) for sample_id, reason in reasons.items()}


def _write_broken(path: Path, broken: Mapping[str, Broken]) -> None:
    """Complete the cache, unless a file could not be read just now: then the next run tries again."""
    if all(entry.is_lasting for entry in broken.values()):
        reasons = {sample_id: entry.reason for sample_id, entry in broken.items()}
        write_atomic(path, json.dumps(reasons).encode())


def _stream(
    path: Path, root: Path, samples: tuple[Sample, ...], side: int
) -> tuple[dict[str, Broken], NDArray[np.uint32]]:
    """Write the decodable images to `path`, whole or not at all, never holding more than a few."""
    _remove_abandoned(path.parent)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".pixels-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            broken, checks = _write_images(file, root, samples, side)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return broken, checks


def _write_images(
    file: BinaryIO, root: Path, samples: tuple[Sample, ...], side: int
) -> tuple[dict[str, Broken], NDArray[np.uint32]]:
    broken: dict[str, Broken] = {}
    checks: list[int] = []
    _write_header(file, len(samples), side)
    for sample, result in decode_each(root, samples, side):
        if isinstance(result, Broken):
            broken[sample.sample_id] = result
        else:
            checks.append(zlib.crc32(result.data))
            file.write(result.data)
    # How many images there are is known only now; NumPy pads headers, so the length stays the same.
    _write_header(file, len(checks), side)
    return broken, np.array(checks, np.uint32)


def _write_header(file: BinaryIO, n_images: int, side: int) -> None:
    file.seek(0)
    header = {"descr": "|u1", "fortran_order": False, "shape": (n_images, side, side, 3)}
    np.lib.format.write_array_header_1_0(file, header)


def _npy(array: NDArray[np.uint32]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _remove_abandoned(cache: Path) -> None:
    """Delete what a killed run left half-written; a day is longer than any run that is still alive."""
    for path in cache.glob(".pixels-*.tmp"):
        if time.time() - path.stat().st_mtime > _ABANDONED_S:
            path.unlink(missing_ok=True)
