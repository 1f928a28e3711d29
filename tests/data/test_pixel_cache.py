"""Decoded pixels on disk: never decoded twice, never used when damaged, never half-written."""

import os
from pathlib import Path

import numpy as np
import pytest

from budgetal.data import Collection, cache, decoding, hashes, load_collection
from budgetal.data.images import decode
from budgetal.errors import DataError, StorageError


@pytest.fixture
def folder(tmp_path: Path, write_image) -> Path:
    for i in range(6):
        write_image(tmp_path / f"images/{i}.png", seed=i)
    (tmp_path / "images/broken.png").write_bytes(b"broken")
    return tmp_path / "images"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each call of decode."""
    calls: list[int] = []

    def count(content: bytes, side: int) -> np.ndarray:
        calls.append(side)
        return decode(content, side)

    monkeypatch.setattr(decoding, "decode", count)
    monkeypatch.setattr("budgetal.data.pixels.decode", count)
    return calls


def load(folder: Path, side: int = 8) -> Collection:
    return load_collection(str(folder), side=side, cache=folder.parent / "cache")


def everything(collection: Collection) -> np.ndarray:
    return collection.pixels.read(np.arange(len(collection.pixels)))


def test_cached_pixels_are_those_decoded_on_read(folder: Path) -> None:
    plain = load_collection(str(folder), side=8)
    for _ in range(2):
        cached = load(folder)
        assert (cached.samples, cached.quarantined) == (plain.samples, plain.quarantined)
        assert (everything(cached) == everything(plain)).all()
        rows = np.array([3, 0, 3])
        assert (cached.pixels.read(rows) == plain.pixels.read(rows)).all()
    assert [entry.path for entry in cached.quarantined] == ["broken.png"]


def test_nothing_is_decoded_again(folder: Path, decoded: list[int]) -> None:
    everything(load(folder))
    assert len(decoded) == 7
    everything(load(folder))
    assert len(decoded) == 7
    load(folder, side=4)
    assert decoded[7:] == [4] * 7


def test_a_new_image_is_seen(folder: Path, write_image) -> None:
    load(folder)
    write_image(folder / "new.png", seed=99)
    collection = load(folder)
    assert len(collection.samples) == 7
    assert (everything(collection) == everything(load_collection(str(folder), side=8))).all()


def test_copies_read_from_the_cache_may_be_changed(folder: Path) -> None:
    pixels = load(folder).pixels
    before = pixels.read(np.arange(6))
    pixels.read(np.arange(6))[:] = 0
    assert (pixels.read(np.arange(6)) == before).all()


def files(folder: Path, pattern: str) -> list[Path]:
    return list((folder.parent / "cache").glob(pattern))


@pytest.mark.parametrize("pattern", ["pixels-*.json", "pixels-*.crc.npy", "pixels-*[0-9a-f].npy"])
@pytest.mark.parametrize("keep", [None, 0, 10, 130, 200])
def test_torn_or_missing_files_are_built_again(folder: Path, pattern: str, keep: int | None) -> None:
    before = everything(load(folder))
    for path in files(folder, pattern):
        content = path.read_bytes()
        path.unlink()
        if keep is not None and keep < len(content):
            path.write_bytes(content[:keep])
    assert (everything(load(folder)) == before).all()


def test_a_flipped_bit_is_refused_when_its_row_is_read(folder: Path) -> None:
    load(folder)
    path = next(path for path in files(folder, "pixels-*.npy") if ".crc" not in path.name)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    pixels = load(folder).pixels
    assert pixels.read(np.arange(5)).shape == (5, 8, 8, 3)
    with pytest.raises(StorageError, match="is damaged: delete it"):
        pixels.read(np.array([5]))


@pytest.mark.parametrize("settled_ns", [-(10**12), 10**15])
def test_a_full_disk_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch, settled_ns: int) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hashes, "_SETTLED_NS", settled_ns)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left"):
            load(folder)
    assert files(folder, "*") + files(folder, ".*") == []
    assert len(load(folder).samples) == 6


def test_leftovers_of_a_killed_run_are_removed_after_a_day(folder: Path) -> None:
    (folder.parent / "cache").mkdir()
    old, young = (folder.parent / f"cache/.pixels-{name}.tmp" for name in ("old", "young"))
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    load(folder)
    assert files(folder, ".pixels-*") == [young]


def test_above_the_cap_files_are_decoded_on_read(
    folder: Path, decoded: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = everything(load_collection(str(folder), side=8))
    decoded.clear()
    monkeypatch.setattr(cache, "MAX_CACHE_BYTES", 7 * 8 * 8 * 3 - 1)
    assert (everything(load(folder)) == expected).all()
    assert files(folder, "pixels-*.npy") == []
    # What is broken is remembered all the same: only reading decodes.
    decoded.clear()
    assert len(load(folder).samples) == 6
    assert decoded == []


def test_a_file_that_is_away_for_a_moment_is_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = decoding.read_sample

    def flaky(root: Path, sample: object) -> bytes:
        if sample.paths == ("0.png",):
            raise DataError("0.png is gone")
        return read(root, sample)

    with monkeypatch.context() as patch:
        patch.setattr(decoding, "read_sample", flaky)
        partly = load(folder)
        assert {entry.path for entry in partly.quarantined} == {"0.png", "broken.png"}
        assert everything(partly).shape == (5, 8, 8, 3)
    assert len(load(folder).samples) == 6


def test_unchanged_files_are_not_hashed_again(folder: Path, write_image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "_SETTLED_NS", -(10**12))
    first = load(folder)
    hashed: list[bytes] = []

    def count(content: bytes) -> str:
        hashed.append(content)
        return identify(content)

    identify = hashes.content_id
    monkeypatch.setattr(hashes, "content_id", count)
    assert load(folder).samples == first.samples
    assert hashed == []
    write_image(folder / "3.png", seed=77)
    assert load(folder).samples != first.samples
    assert hashed == [(folder / "3.png").read_bytes()]


def test_a_change_that_hides_behind_the_old_time_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "_SETTLED_NS", -(10**12))
    first = load(folder)
    path = folder / "3.png"
    status, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + b"\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert load(folder).samples != first.samples


def test_files_that_just_changed_are_hashed_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "_SETTLED_NS", 10**15)
    load(folder)
    assert files(folder, "hashes-*.parquet") == []


@pytest.mark.parametrize("content", [b"", b"torn", b"PAR1" * 10])
def test_damaged_memory_of_hashes_is_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(hashes, "_SETTLED_NS", -(10**12))
    first = load(folder)
    (path,) = files(folder, "hashes-*.parquet")
    path.write_bytes(content)
    assert load(folder).samples == first.samples
