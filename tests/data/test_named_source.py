"""Data sets by name, from local copies in their authors' formats; nothing here uses a network."""

import gzip
import struct
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from sklearn.datasets import load_digits

from budgetal.data import Collection, load_collection
from budgetal.data.arrays import array_id
from budgetal.data.named import FASHION_CLASSES, NAMES
from budgetal.errors import DataError
from budgetal.torchvision_shim import torchvision


def pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def check(collection: Collection, images: np.ndarray, names: list[str]) -> None:
    """Each image is there with its own label and its own pixels."""
    expected = {array_id(image): (image, name) for image, name in zip(images, names, strict=True)}
    assert {sample.sample_id for sample in collection.samples} == set(expected)
    read = collection.pixels.read(np.arange(len(collection.samples)))
    for sample, image in zip(collection.samples, read, strict=True):
        original, name = expected[sample.sample_id]
        assert sample.label == name
        assert (image == original.reshape(*original.shape[:2], -1)).all()


def test_digits_come_with_scikit_learn() -> None:
    collection = load_collection("digits", side=8)
    assert len(collection.samples) == len(collection.pixels) == 1797
    assert collection.classes == tuple("0123456789")
    digits = load_digits()
    grey = np.rint(digits.images / 16 * 255).astype(np.uint8)
    assert grey.max() == 255
    check(collection, grey, [str(target) for target in digits.target])
    assert load_collection("digits", side=8, labelled=False).classes == ()
    with pytest.raises(DataError, match="no test split"):
        load_collection("digits", side=8, split="test")


@pytest.mark.parametrize("split", ["train", "test"])
def test_svhn_is_read_from_its_mat_files_where_ten_means_zero(tmp_path: Path, split: str) -> None:
    images = pixels(6, 32, 32, 3)
    labels = np.array([[1], [10], [9], [2], [10], [5]], np.uint8)
    content = {"X": images.transpose(1, 2, 3, 0), "y": labels}
    scipy.io.savemat(tmp_path / f"{split}_32x32.mat", content)
    collection = load_collection("svhn", side=8, data_root=str(tmp_path), split=split)
    check(collection, images, ["1", "0", "9", "2", "0", "5"])
    assert collection.classes == tuple("0123456789")
    assert collection.samples[0].paths[0].startswith(f"svhn/{split}[")


def write_idx(path: Path, array: np.ndarray, compress: bool) -> None:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    if compress:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("place", ["{}/raw", "{}", "."])
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_mnist_and_fashion_mnist_are_read_from_idx_files(
    tmp_path: Path, name: str, folder: str, place: str, compress: bool
) -> None:
    images, labels = pixels(4, 28, 28), np.array([3, 0, 9, 3], np.uint8)
    raw = tmp_path / place.format(folder)
    write_idx(raw / "t10k-images-idx3-ubyte", images, compress)
    write_idx(raw / "t10k-labels-idx1-ubyte", labels, compress)
    classes = FASHION_CLASSES if name == "fashion-mnist" else tuple("0123456789")
    collection = load_collection(name, side=8, data_root=str(tmp_path), split="test")
    check(collection, images, [classes[label] for label in labels])
    assert collection.classes == classes


@pytest.mark.parametrize("folder", ["cifar-10-batches-bin", "."])
def test_cifar10_is_read_from_its_binary_version(tmp_path: Path, folder: str) -> None:
    images, labels = pixels(10, 32, 32, 3), np.arange(10, dtype=np.uint8)
    records = np.hstack([labels[:, None], images.transpose(0, 3, 1, 2).reshape(10, -1)])
    (tmp_path / folder).mkdir(exist_ok=True)
    for i in range(5):
        records[2 * i : 2 * i + 2].tofile(tmp_path / folder / f"data_batch_{i + 1}.bin")
    collection = load_collection("cifar10", side=8, data_root=str(tmp_path))
    check(collection, images, list(collection.classes))
    assert (collection.classes[0], collection.classes[9]) == ("airplane", "truck")


def test_cifar100_uses_its_fine_labels(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    (folder / "fine_label_names.txt").write_text("\n".join(f"name{i}" for i in range(100)) + "\n")
    images = pixels(3, 32, 32, 3)
    coarse_and_fine = np.array([[19, 99], [0, 1], [5, 42]], np.uint8)
    np.hstack([coarse_and_fine, images.transpose(0, 3, 1, 2).reshape(3, -1)]).tofile(folder / "test.bin")
    collection = load_collection("cifar100", side=8, data_root=str(tmp_path), split="test")
    check(collection, images, ["name99", "name1", "name42"])
    assert len(collection.classes) == 100


DAMAGE = {
    "svhn": ("train_32x32.mat", b"MATLAB 5.0 torn"),
    "mnist": ("train-images-idx3-ubyte", b"\0\0\x08\x03\0\0\0\x01"),
    "fashion-mnist": ("train-images-idx3-ubyte.gz", b"\x1f\x8b torn"),
    "cifar10": ("data_batch_1.bin", b"torn"),
}


@pytest.mark.parametrize("name", list(DAMAGE))
def test_damaged_local_copies_answer_with_one_clear_line(tmp_path: Path, name: str) -> None:
    for other in ("train-labels-idx1-ubyte", *(f"data_batch_{i}.bin" for i in range(2, 6))):
        (tmp_path / other).touch()
    file, content = DAMAGE[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=f"Cannot read .*{file}"):
        load_collection(name, side=8, data_root=str(tmp_path))


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images-idx3-ubyte", pixels(2, 28, 28), False)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.array([1, 10], np.uint8), False)
    with pytest.raises(DataError, match="label 10 is none of 10 classes"):
        load_collection("mnist", side=8, data_root=str(tmp_path))
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.array([1], np.uint8), False)
    with pytest.raises(DataError, match="2 images, 1 labels"):
        load_collection("mnist", side=8, data_root=str(tmp_path))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "digits"])
def test_without_a_copy_and_a_network_the_answer_says_what_to_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    torchvision()

    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(DataError, match=f"Cannot download {name} .*give --data-root") as caught:
        load_collection(name, side=8, data_root=str(tmp_path))
    assert "\n" not in str(caught.value)


def test_downloaded_arrays_become_the_same_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torchvision()
    from torchvision import datasets

    images, labels = pixels(4, 3, 32, 32), np.array([0, 1, 9, 0])

    def downloaded(self: object, root: Path, split: str, download: bool) -> None:
        assert (root, split, download) == (tmp_path, "train", True)
        self.data, self.labels = images, labels

    monkeypatch.setattr(datasets.SVHN, "__init__", downloaded)
    collection = load_collection("svhn", side=8, data_root=str(tmp_path))
    check(collection, np.ascontiguousarray(images.transpose(0, 2, 3, 1)), ["0", "1", "9", "0"])


def test_misspelt_names_and_splits_are_answered() -> None:
    with pytest.raises(DataError, match="unknown data set 'cifar11': did you mean 'cifar10'"):
        load_collection("cifar11", side=8)
    with pytest.raises(DataError, match="Unknown split 'validation' of digits"):
        load_collection("digits", side=8, split="validation")
