"""A folder of images: what is found, what is quarantined, which labels it has."""

import os
from pathlib import Path

import numpy as np
import pytest

from budgetal.data import Collection, content_id, decode, find_splits, load_collection
from budgetal.errors import DataError

SUFFIXES = [".jpg", ".JPEG", ".png", ".webp", ".bmp", ".tif", ".TIFF", ".gif"]


def paths(collection: Collection) -> set[str]:
    return {path for sample in collection.samples for path in sample.paths}


def reasons(collection: Collection) -> dict[str, str]:
    return {entry.path: entry.reason for entry in collection.quarantined}


def test_all_formats_are_found_at_any_depth(tmp_path: Path, write_image) -> None:
    for i, suffix in enumerate(SUFFIXES):
        write_image(tmp_path / "/".join("ab"[: i % 3]) / f"image{suffix}", seed=i)
    collection = load_collection(str(tmp_path), side=8)
    assert len(collection.samples) == len(SUFFIXES)
    assert {Path(path).suffix for path in paths(collection)} == set(SUFFIXES)
    assert collection.quarantined == ()


def test_rows_follow_ids_and_pixels_are_those_of_the_file(tmp_path: Path, write_image) -> None:
    for i in range(7):
        write_image(tmp_path / f"{i}.png", seed=i)
    collection = load_collection(str(tmp_path), side=8)
    ids = [sample.sample_id for sample in collection.samples]
    assert ids == sorted(ids)
    assert len(collection.pixels) == 7
    rows = np.array([4, 0, 4])
    for image, row in zip(collection.pixels.read(rows), rows, strict=True):
        content = (tmp_path / collection.samples[row].paths[0]).read_bytes()
        assert content_id(content) == ids[row]
        assert (image == decode(content, 8)).all()


def test_reading_no_rows_gives_no_images(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "a.png")
    collection = load_collection(str(tmp_path), side=8)
    assert collection.pixels.read(np.array([], np.int64)).shape == (0, 8, 8, 3)


def test_names_do_not_change_ids(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "one/a.png", seed=1)
    write_image(tmp_path / "two/deep/z.png", seed=1)
    first, second = (load_collection(str(tmp_path / name), side=8) for name in ("one", "two"))
    assert first.samples[0].sample_id == second.samples[0].sample_id


def test_byte_identical_copies_are_one_sample_with_all_paths(tmp_path: Path, write_image) -> None:
    for name in ("b.png", "a.png", "deep/c.png"):
        write_image(tmp_path / name, seed=1)
    write_image(tmp_path / "d.png", seed=2)
    collection = load_collection(str(tmp_path), side=8)
    assert {sample.paths for sample in collection.samples} == {
        ("a.png", "b.png", "deep/c.png"),
        ("d.png",),
    }


def test_a_folder_for_each_class_is_labelled_unless_labels_are_not_wanted(tmp_path: Path, write_image) -> None:
    for i, name in enumerate(["dog/1.png", "cat/2.png", "cat/more/3.png"]):
        write_image(tmp_path / name, seed=i)
    collection = load_collection(str(tmp_path), side=8)
    assert collection.classes == ("cat", "dog")
    assert all(sample.label == sample.paths[0].split("/")[0] for sample in collection.samples)
    unlabelled = load_collection(str(tmp_path), side=8, labelled=False)
    assert unlabelled.classes == ()
    assert [sample.label for sample in unlabelled.samples] == [None] * 3


@pytest.mark.parametrize("names", [["a/1.png", "b/2.png", "3.png"], ["a/1.png", "a/2.png"]])
def test_other_nested_folders_are_unlabelled(tmp_path: Path, write_image, names: list[str]) -> None:
    for i, name in enumerate(names):
        write_image(tmp_path / name, seed=i)
    assert load_collection(str(tmp_path), side=8).classes == ()


def test_contradicting_labels_of_one_image_keep_the_first_and_are_reported(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "dog/a.png", seed=1)
    write_image(tmp_path / "cat/b.png", seed=1)
    collection = load_collection(str(tmp_path), side=8)
    assert [sample.label for sample in collection.samples] == ["cat"]
    assert collection.samples[0].paths == ("cat/b.png", "dog/a.png")
    reason = reasons(collection)["dog/a.png"]
    assert "label conflict" in reason
    assert "kept 'cat'" in reason


def test_broken_files_are_quarantined_with_reasons_and_the_rest_is_used(
    tmp_path: Path, write_image, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = write_image(tmp_path / "good.png", side=40)
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "half.png").write_bytes(good.read_bytes()[:600])
    (tmp_path / "big.png").write_bytes(bytes(10_000))
    (tmp_path / "drawing.svg").write_text("<svg/>")
    monkeypatch.setattr("budgetal.data.safety.MAX_BYTES", 9_999)
    collection = load_collection(str(tmp_path), side=8)
    assert paths(collection) == {"good.png"}
    found = reasons(collection)
    assert set(found) == {"empty.jpg", "text.png", "half.png", "big.png", "drawing.svg"}
    assert "empty" in found["empty.jpg"]
    assert "10,000 bytes" in found["big.png"]
    assert "truncated" in found["half.png"]
    assert "not a supported image format" in found["drawing.svg"]


def test_every_copy_of_a_broken_file_is_reported(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "good.png")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"broken")
    assert set(reasons(load_collection(str(tmp_path), side=8))) == {"a.png", "b.png"}


def test_hidden_files_and_other_kinds_are_no_images(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "a.png")
    write_image(tmp_path / ".hidden/b.png", seed=2)
    write_image(tmp_path / "._a.png", seed=3)
    (tmp_path / "notes.txt").write_text("x")
    collection = load_collection(str(tmp_path), side=8)
    assert paths(collection) == {"a.png"}
    assert collection.quarantined == ()


def test_links_may_stay_inside_the_folder_but_not_leave_it(tmp_path: Path, write_image) -> None:
    secret = write_image(tmp_path / "outside/secret.png", seed=9)
    inside = write_image(tmp_path / "root/a.png")
    root = tmp_path / "root"
    (root / "copy.png").symlink_to(inside)
    (root / "leak.png").symlink_to(secret)
    (root / "relative.png").symlink_to("../outside/secret.png")
    (root / "folder").symlink_to(secret.parent)
    (root / "nothing.png").symlink_to(root / "gone")
    (root / "loop.png").symlink_to(root / "loop.png")
    collection = load_collection(str(root), side=8)
    assert [sample.paths for sample in collection.samples] == [("a.png", "copy.png")]
    found = reasons(collection)
    assert set(found) == {"leak.png", "relative.png", "folder", "nothing.png", "loop.png"}
    assert "leads out of the folder" in found["leak.png"]
    assert "leads out of the folder" in found["relative.png"]
    assert "not followed" in found["folder"]


def test_the_folder_itself_may_be_a_link(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "real/a.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert paths(load_collection(str(tmp_path / "link"), side=8)) == {"a.png"}


def test_pipes_and_folders_named_like_images_are_not_opened(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    write_image(tmp_path / "folder.png/b.png", seed=2)
    collection = load_collection(str(tmp_path), side=8)
    assert reasons(collection) == {"pipe.png": "not a regular file"}
    assert paths(collection) == {"a.png", "folder.png/b.png"}


def test_names_that_are_no_text_are_quarantined_readably(tmp_path: Path, write_image) -> None:
    content = write_image(tmp_path / "naïve 猫.png").read_bytes()
    with open(os.fsencode(tmp_path) + b"/\xff.png", "wb") as file:
        file.write(content)
    collection = load_collection(str(tmp_path), side=8)
    assert paths(collection) == {"naïve 猫.png"}
    assert reasons(collection) == {"\\udcff.png": "the file name is not valid UTF-8"}


def test_unreadable_folders_are_reported(tmp_path: Path, write_image, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "a.png")
    write_image(tmp_path / "closed/b.png")
    scandir = os.scandir

    def refuse(path: str):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = reasons(load_collection(str(tmp_path), side=8))
    assert found == {"closed": "the folder cannot be read: Permission denied"}


def test_changed_file_is_noticed_when_it_is_read(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "a.png", seed=1)
    collection = load_collection(str(tmp_path), side=8)
    write_image(tmp_path / "a.png", seed=2)
    with pytest.raises(DataError, match=r"a\.png is gone or has changed"):
        collection.pixels.read(np.array([0]))


def test_another_copy_serves_when_one_is_gone(tmp_path: Path, write_image) -> None:
    first = write_image(tmp_path / "a.png", seed=1)
    write_image(tmp_path / "b.png", seed=1)
    collection = load_collection(str(tmp_path), side=8)
    before = collection.pixels.read(np.array([0]))
    first.unlink()
    assert (collection.pixels.read(np.array([0])) == before).all()


def test_unusable_folders_answer_with_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There are no images in"):
        load_collection(str(tmp_path), side=8)
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"1 quarantined, the first: a\.png \(no image"):
        load_collection(str(tmp_path), side=8)
    with pytest.raises(DataError, match="There is no folder or manifest"):
        load_collection(str(tmp_path / "missing"), side=8)
    with pytest.raises(DataError, match=r"neither a \.csv nor a \.parquet"):
        load_collection(str(tmp_path / "a.png"), side=8)


def test_train_and_test_subfolders_are_two_collections(tmp_path: Path) -> None:
    directory = str(tmp_path)
    assert find_splits(directory) == (directory, None)
    (tmp_path / "train").mkdir()
    assert find_splits(directory) == (str(tmp_path / "train"), None)
    (tmp_path / "test").mkdir()
    assert find_splits(directory) == (str(tmp_path / "train"), str(tmp_path / "test"))
    assert find_splits("digits") == ("digits", None)
