"""Arrays and tensors come back as they went in, or not at all."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from budgetal.errors import StorageError
from budgetal.store import ArrayStore, hashed

DTYPES = hnp.boolean_dtypes() | hnp.integer_dtypes() | hnp.floating_dtypes() | hnp.unicode_string_dtypes()
TENSORS = {"weight": torch.arange(3000.0).reshape(3, 1000), "bias": torch.tensor(1.5), "none": torch.zeros(0, 4)}


@pytest.fixture
def arrays(tmp_path):
    return ArrayStore(tmp_path / "cache" / "arrays")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache" / "arrays"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@given(array=hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, min_side=0, max_dims=3)))
@settings(max_examples=40, deadline=None)
def test_any_array_comes_back(tmp_path_factory, array):
    arrays = ArrayStore(tmp_path_factory.mktemp("arrays"))
    ref = arrays.put(array, "any")
    for mmap in (True, False):
        found = arrays.get(ref, mmap=mmap)
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found, array)


def test_a_ref_is_the_name_and_a_hash_of_the_file(arrays, folder):
    ref = arrays.put(np.arange(5), "probs_round-3")
    assert names(folder) == [ref]
    assert ref == f"probs_round-3-{hashed.file_hash(folder / ref)}.npy"
    assert len(hashed.file_hash(folder / ref)) == 32


def test_equal_content_is_one_file_whatever_its_memory_order(arrays, folder):
    array = np.arange(12).reshape(3, 4)
    refs = {arrays.put(array, "a"), arrays.put(array.copy(order="F"), "a"), arrays.put(array[::-1][::-1], "a")}
    assert names(folder) == list(refs)
    assert arrays.put(array.astype(np.int32), "a") not in refs
    assert arrays.put(array.reshape(4, 3), "a") not in refs


def test_a_memory_mapped_array_cannot_be_written(arrays):
    found = arrays.get(arrays.put(np.arange(5), "a"))
    assert isinstance(found, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 9


def test_tensors_come_back_whatever_their_order(arrays, folder):
    tied = {**TENSORS, "tied": TENSORS["weight"], "turned": TENSORS["weight"].T, "half": torch.ones(2).bfloat16()}
    ref = arrays.put_tensors(tied, "model")
    assert arrays.put_tensors(dict(reversed(tied.items())), "model") == ref
    assert names(folder) == [ref]
    found = arrays.get_tensors(ref)
    assert found.keys() == tied.keys()
    for name, tensor in tied.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_refs_are_the_same_in_every_process_and_version(arrays):
    assert arrays.put(np.arange(3, dtype=np.int64), "a") == "a-eb316aa16fd000fe77ca3c87d7862d10.npy"
    assert (
        arrays.put_tensors({"b": torch.ones(3), "a": torch.zeros(2)}, "m")
        == "m-0b2cfdc355ff665ff59ee85cfabff04f.safetensors"
    )


def test_objects_are_never_pickled(arrays, folder):
    with pytest.raises(ValueError, match="Object arrays"):
        arrays.put(np.array([{"a": 1}], dtype=object), "objects")
    assert names(folder) == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a.b", "-a", "a b", "ä"])
def test_names_are_plain_words(arrays, name):
    with pytest.raises(ValueError, match="Cannot name"):
        arrays.put(np.arange(3), name)


@pytest.mark.parametrize("form", ["../{}", "/{}", "sub/{}", "{}\n", "{}.bak", "", ".", "journal.db"])
def test_a_ref_from_outside_is_refused(arrays, folder, form):
    ref = arrays.put(np.arange(3), "a")
    (folder.parent / ref).write_bytes((folder / ref).read_bytes())
    with pytest.raises(StorageError, match="not the name of a stored array"):
        arrays.get(form.format(ref))
    assert not arrays.has(form.format(ref))


def test_a_missing_array_is_named(arrays):
    ref = arrays.put(np.arange(3), "a")
    missing = "b" + ref[1:]
    assert arrays.has(ref)
    assert not arrays.has(missing)
    with pytest.raises(StorageError, match=missing):
        arrays.get(missing)
    with pytest.raises(StorageError, match="safetensors"):
        arrays.get_tensors(ref.replace(".npy", ".safetensors"))


@pytest.fixture(params=["npy", "safetensors"])
def stored(request, arrays, folder):
    """A file of several thousand bytes, how to read it, and how to store it again."""
    if request.param == "npy":
        ref = arrays.put(np.arange(1000), "a")
        return folder / ref, arrays.get, lambda: arrays.put(np.arange(1000), "a")
    ref = arrays.put_tensors(TENSORS, "a")
    return folder / ref, arrays.get_tensors, lambda: arrays.put_tensors(TENSORS, "a")


def test_a_flipped_byte_is_refused_wherever_it_is(stored, arrays):
    path, get, store_again = stored
    content = path.read_bytes()
    get(path.name)
    for offset in [*range(0, len(content), 512), len(content) - 1]:
        path.write_bytes(content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :])
        with pytest.raises(StorageError, match="damaged"):
            get(path.name)
        assert not arrays.has(path.name)
    assert store_again() == path.name
    get(path.name)


def test_a_torn_file_is_refused(stored, arrays):
    path, get, _ = stored
    content = path.read_bytes()
    for size in [*range(0, len(content), 512), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.raises(StorageError, match="damaged"):
            get(path.name)
    path.write_bytes(content + b"\0")
    assert not arrays.has(path.name)


def test_a_file_is_hashed_once_a_process(stored, arrays, monkeypatch):
    path, get, _ = stored
    get(path.name)
    monkeypatch.setattr("budgetal.store.arrays.file_hash", lambda path: pytest.fail("hashed again"))
    get(path.name)
    assert arrays.has(path.name)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_folder_as_it_was(arrays, folder, monkeypatch, call):
    def refuse(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    ref = arrays.put(np.arange(3), "a")
    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(StorageError, match=r"No space left.*Free some disk space"):
            arrays.put(np.arange(4), "a")
        with pytest.raises(StorageError, match="No space left"):
            arrays.put_tensors(TENSORS, "m")
    assert names(folder) == [ref]


def test_a_file_that_may_not_grow_leaves_the_folder_as_it_was(tmp_path):
    code = (
        "import sys, resource, numpy, pathlib; from budgetal.store import ArrayStore\n"
        "arrays = ArrayStore(pathlib.Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))\n"
        "arrays.put(numpy.arange(10000), 'a')"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert "StorageError: Cannot store the array 'a'" in run.stderr
    assert names(tmp_path) == []


def test_prune_keeps_what_it_is_told_and_what_is_not_its_own(arrays, folder):
    kept, gone = arrays.put(np.arange(3), "a"), arrays.put(np.arange(4), "a")
    (folder / "notes.txt").write_text("mine")
    (folder / ".budgetal-dead1_x.tmp").write_text("half an arr")
    assert arrays.prune({kept, "a-" + "0" * 32 + ".npy"}) == 2
    assert names(folder) == [kept, "notes.txt"]
    assert not arrays.has(gone)
    assert arrays.prune({kept}) == 0


def test_prune_leaves_the_file_that_a_live_writer_is_writing(arrays, folder):
    def fill(sink):
        assert arrays.prune(set()) == 0
        sink.write(b"content")

    ref = hashed.write_hashed(folder, "a", ".npy", fill)
    assert names(folder) == [ref]
