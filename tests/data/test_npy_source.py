"""A folder with images.npy, labels.npy and classes.txt."""

from pathlib import Path

import numpy as np
import pytest

from budgetal.data import load_collection
from budgetal.data.arrays import array_id
from budgetal.errors import DataError


def images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def save(folder: Path, pixels: np.ndarray, labels: object = None) -> str:
    np.save(folder / "images.npy", pixels)
    if labels is not None:
        np.save(folder / "labels.npy", np.asarray(labels))
    return str(folder)


@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 6, 7, 1), (5, 6, 7, 3)])
def test_pixels_keep_their_size_and_follow_the_ids(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = images(*shape)
    collection = load_collection(save(tmp_path, pixels), side=99)
    ids = [sample.sample_id for sample in collection.samples]
    assert ids == sorted(array_id(image) for image in pixels)
    read = collection.pixels.read(np.arange(5))
    assert read.shape == (5, 6, 7, 3)
    for image, sample in zip(read, collection.samples, strict=True):
        row = int(sample.paths[0].removeprefix("images.npy[").removesuffix("]"))
        assert (image == pixels[row].reshape(6, 7, -1)).all()


def test_identical_images_are_one_sample(tmp_path: Path) -> None:
    pixels = images(4, 6, 6)
    pixels[3] = pixels[1]
    collection = load_collection(save(tmp_path, pixels, [0, 1, 2, 9]), side=8)
    assert len(collection.samples) == len(collection.pixels) == 3
    merged = next(sample for sample in collection.samples if len(sample.paths) == 2)
    assert merged.paths == ("images.npy[1]", "images.npy[3]")
    assert merged.label == "1"
    assert "label conflict: '9' here" in collection.quarantined[0].reason
    row = collection.samples.index(merged)
    assert (collection.pixels.read(np.array([row]))[0, :, :, 0] == pixels[1]).all()


def test_ids_depend_on_shape_and_bytes() -> None:
    flat = np.zeros((4, 9), np.uint8)
    assert len({array_id(flat), array_id(flat.reshape(6, 6)), array_id(flat + np.uint8(1))}) == 3
    pixels = images(8, 8)
    assert array_id(pixels.T) == array_id(np.ascontiguousarray(pixels.T))


def test_labels_become_class_names(tmp_path: Path) -> None:
    spec = save(tmp_path, images(3, 6, 6), [2, 0, 2])
    assert label_of(spec) == {0: "2", 1: "0", 2: "2"}
    assert load_collection(spec, side=8).classes == ("0", "2")
    (tmp_path / "classes.txt").write_text("zebra\nape\n\ncat\n")
    assert label_of(spec) == {0: "cat", 1: "zebra", 2: "cat"}
    assert load_collection(spec, side=8).classes == ("zebra", "ape", "cat")
    assert load_collection(spec, side=8, labelled=False).classes == ()


def label_of(spec: str) -> dict[int, str | None]:
    samples = load_collection(spec, side=8).samples
    return {int(sample.paths[0][len("images.npy[") : -1]): sample.label for sample in samples}


def test_class_names_may_lie_in_the_parent_folder(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "classes.txt").write_text("a\nb\n")
    assert label_of(save(tmp_path / "train", images(2, 6, 6), [1, 0])) == {0: "b", 1: "a"}


def test_text_labels_and_columns_are_understood(tmp_path: Path) -> None:
    assert label_of(save(tmp_path, images(2, 6, 6), ["x", ""])) == {0: "x", 1: None}
    assert label_of(save(tmp_path, images(2, 6, 6), [[4], [11]])) == {0: "4", 1: "11"}
    assert load_collection(str(tmp_path), side=8).classes == ("4", "11")


@pytest.mark.parametrize(
    ("pixels", "labels", "message"),
    [
        (images(3, 6, 6), [1, 2], "3 images, labels.npy 2 labels"),
        (images(3, 6, 6), [0.5, 1, 2], "labels.npy holds float64"),
        (images(3, 6, 6), np.array(["a", None, 2], object), "labels.npy: it holds Python objects"),
        (np.array([{}, {}]), None, "images.npy: it holds Python objects"),
        (images(3, 6), None, r"has shape \(3, 6\)"),
        (images(3, 3, 6, 6), None, r"has shape \(3, 3, 6, 6\)"),
        (images(3, 6, 6).astype(np.float32), None, "holds float32 values; needed: uint8"),
        (images(0, 6, 6), None, "There are no images"),
    ],
)
def test_arrays_that_do_not_fit_answer_with_one_clear_line(
    tmp_path: Path, pixels: np.ndarray, labels: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load_collection(save(tmp_path, pixels, labels), side=8)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_without_a_name_is_refused(tmp_path: Path, label: int) -> None:
    (tmp_path / "classes.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match=f"label {label} is none of the 2 classes"):
        load_collection(save(tmp_path, images(2, 6, 6), [0, label]), side=8)


def test_a_class_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("a\nb\na\n")
    with pytest.raises(DataError, match="names the class 'a' more than once"):
        load_collection(save(tmp_path, images(2, 6, 6), [0, 1]), side=8)


@pytest.mark.parametrize("keep", [0, 20, 100, 200])
def test_torn_arrays_are_refused(tmp_path: Path, keep: int) -> None:
    spec = save(tmp_path, images(3, 6, 6))
    (tmp_path / "images.npy").write_bytes((tmp_path / "images.npy").read_bytes()[:keep])
    with pytest.raises(DataError, match=r"Cannot read .*images\.npy"):
        load_collection(spec, side=8)


def test_an_archive_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "images.npy").open("wb") as file:
        np.savez(file, a=images(3, 6, 6))
    with pytest.raises(DataError, match="archive"):
        load_collection(str(tmp_path), side=8)
