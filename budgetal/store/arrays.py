"""Bulk arrays beside the journal: .npy and .safetensors, named by content, checked when read."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from budgetal.errors import StorageError
from budgetal.files import sync_folder
from budgetal.store.failures import storage_errors
from budgetal.store.hashed import expected_hash, file_hash, is_abandoned, is_ref, write_hashed

if TYPE_CHECKING:
    from torch import Tensor

_Stamp = tuple[int, int, int]


class ArrayStore:
    """A folder of arrays, which events name by ref: "<name>-<hash>.npy" or ".safetensors"."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: dict[str, _Stamp] = {}
        with storage_errors(f"Cannot make the folder {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(folder.parent)

    def put(self, array: NDArray[Any], name: str) -> str:
        """Store `array` (any shape and plain type) and return its ref. Equal arrays are one file.

        Raises ValueError for an array of objects, StorageError when writing fails; then nothing is
        stored.
        """
        # Equal arrays in another memory order are the same content.
        plain = np.asarray(array, order="C")
        with storage_errors(f"Cannot store the array {name!r} in {self._folder}"):
            return write_hashed(
                self._folder,
                name,
                ".npy",
                lambda sink: np.lib.format.write_array(cast(BinaryIO, sink), plain, allow_pickle=False),
            )

    def get(self, ref: str, mmap: bool = True) -> NDArray[Any]:
        """The array that `put` stored, read-only and memory-mapped, or a copy in memory.

        Raises StorageError when it is missing, torn or changed.
        """
        path = self._verified(ref)
        with storage_errors(f"Cannot read {path}"):
            mode: Literal["r"] | None = "r" if mmap else None
            array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
            return array

    def put_tensors(self, tensors: "dict[str, Tensor]", name: str) -> str:
        """Store named tensors and return their ref. Equal tensors are one file, whatever their order.

        Raises StorageError when writing fails; then nothing is stored.
        """
        from safetensors.torch import save

        # Copies, because safetensors refuses tensors that share memory; in order of name.
        plain = {key: tensors[key].detach().cpu().contiguous().clone() for key in sorted(tensors)}
        content = save(plain)
        with storage_errors(f"Cannot store the tensors {name!r} in {self._folder}"):
            return write_hashed(self._folder, name, ".safetensors", lambda sink: sink.write(content))

    def get_tensors(self, ref: str) -> "dict[str, Tensor]":
        """The tensors that `put_tensors` stored, on the CPU. Raises StorageError as `get`."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self._verified(ref)
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise StorageError(f"Cannot read {path}: {error}") from error

    def has(self, ref: str) -> bool:
        """Whether `ref` is stored whole and unchanged."""
        try:
            self._verified(ref)
        except StorageError:
            return False
        return True

    def prune(self, keep: set[str]) -> int:
        """Remove every ref not in `keep` and what dead writers left; return how many files went.

        Only for the one process that stores arrays: one whose event is not written yet is not in `keep`.
        """
        with storage_errors(f"Cannot tidy {self._folder}"):
            stale = [path for path in self._folder.iterdir() if _is_stale(path, keep)]
            for path in stale:
                path.unlink()
            sync_folder(self._folder)
        return len(stale)

    def _verified(self, ref: str) -> Path:
        """The path of a file whose hash was compared since it was last written, in this process."""
        expected = expected_hash(ref)
        path = self._folder / ref
        with storage_errors(f"Cannot read {path}"):
            stamp = _stamp(path)
            if self._checked.get(ref) == stamp:
                return path
            found = file_hash(path)
        if found != expected:
            raise StorageError(f"{path} is damaged (its content has hash {found}): delete it to have it made again")
        self._checked[ref] = stamp
        return path


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_stale(path: Path, keep: set[str]) -> bool:
    return is_abandoned(path) or (is_ref(path.name) and path.name not in keep)
