import numpy as np
import pytest
from collections_made import write_npy, write_tree
from PIL import Image

from budgetal.data.images import content_id
from budgetal.data.stream import open_stream
from budgetal.errors import DataError


@pytest.fixture
def tree(tmp_path):
    return write_tree(tmp_path / "images", 20)


def chunks_of(stream, size, after=None):
    return [stream.read(files, side=16) for files in stream.parts(size, after)]


def test_files_come_in_the_order_of_their_paths_in_chunks(tree):
    stream = open_stream(str(tree))
    chunks = chunks_of(stream, 8)
    assert [len(chunk.paths) for chunk in chunks] == [8, 8, 4]
    paths = [path for chunk in chunks for path in chunk.paths]
    assert paths == sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*.png"))
    first = tree / paths[0]
    assert chunks[0].sample_ids[0] == content_id(first.read_bytes())
    np.testing.assert_array_equal(chunks[0].pixels[0], np.asarray(Image.open(first)))
    assert [chunk.last_path for chunk in chunks] == [paths[7], paths[15], paths[19]]


def test_reading_goes_on_behind_a_path(tree):
    stream = open_stream(str(tree))
    paths = [file.path for file in stream.files]
    rest = [path for chunk in chunks_of(stream, 8, after=paths[6]) for path in chunk.paths]
    assert rest == paths[7:]
    assert stream.n_before(paths[6]) == 7
    assert chunks_of(stream, 8, after=paths[-1]) == []


def test_what_cannot_be_used_is_set_aside_at_its_place(tree):
    (tree / "blue" / "0001.png").write_bytes(b"no image")
    (tree / "green" / "a.svg").write_text("<svg/>")
    gone = open_stream(str(tree))
    (tree / "red" / "0002.png").unlink()
    (chunk,) = chunks_of(gone, 100)
    assert len(chunk.paths) == len(chunk.pixels) == 19
    assert [entry.path for entry in chunk.quarantined] == ["blue/0001.png", "green/a.svg", "red/0002.png"]
    assert all(entry.reason for entry in chunk.quarantined)


def test_a_chunk_of_broken_files_has_no_pixels(tree):
    for path in tree.glob("blue/*.png"):
        path.write_bytes(b"")
    first = chunks_of(open_stream(str(tree)), 3)[0]
    assert first.pixels.shape == (0, 16, 16, 3)
    assert len(first.quarantined) == 3


def test_a_manifest_is_a_stream_of_its_files(tree):
    (tree / "list.csv").write_text("path,label\nred/0002.png,x\nblue/0000.png,\n")
    assert [file.path for file in open_stream(str(tree / "list.csv")).files] == ["blue/0000.png", "red/0002.png"]


@pytest.mark.parametrize("source", ["nowhere", "empty", "array", "file.txt"])
def test_a_source_without_image_files_is_refused(tmp_path, source):
    (tmp_path / "empty").mkdir()
    write_npy(tmp_path / "array", 6)
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(DataError):
        open_stream(str(tmp_path / source))
