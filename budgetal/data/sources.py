"""Any collection of images by its name: a folder, a manifest, an array folder or a data set."""

import os
from pathlib import Path

from budgetal.data.collection import Collection
from budgetal.data.folder import list_folder
from budgetal.data.ingest import collect_files
from budgetal.data.manifest import list_manifest
from budgetal.data.named import NAMES, load_named
from budgetal.data.npy import load_npy
from budgetal.data.tables import TABLE_SUFFIXES
from budgetal.errors import DataError
from budgetal.registry import unknown_name

__all__ = ["Collection", "find_splits", "load_collection"]


def load_collection(
    spec: str,
    *,
    side: int,
    cache: Path | None = None,
    data_root: str | None = None,
    split: str = "train",
    labelled: bool = True,
) -> Collection:
    """Index the images that `spec` names; rows are in the order of the sample ids.

    spec: a folder of images, a folder with images.npy, a .csv or .parquet manifest, a data set's name.
    side: pixels; image files become side × side squares. Arrays and data sets keep their own size.
    cache: folder in which decoded files are kept for later runs; None: they are decoded on each read.
    A folder that is called like a data set is given as "./digits".
    data_root: where a named data set lies or is downloaded to. split: "train" or "test", data sets only.
    labelled: False drops whatever labels the source has.
    Raises DataError, one clear line, when there is nothing that can be used.
    """
    if spec in NAMES:
        return load_named(spec, data_root, split, labelled)
    path = Path(spec)
    if path.is_file() and path.suffix.lower() in TABLE_SUFFIXES:
        root = Path(os.path.realpath(path.parent))
        return collect_files(root, *list_manifest(path, root, labelled), side, cache)
    if not path.is_dir():
        raise DataError(_not_found(spec))
    if (path / "images.npy").is_file():
        return load_npy(path, labelled)
    root = Path(os.path.realpath(path))
    return collect_files(root, *list_folder(root, labelled), side, cache)


def find_splits(directory: str) -> tuple[str, str | None]:
    """The training images and, where there are any, the test images of `directory`.

    A folder with a subfolder `train` is two collections (`test` may be missing); all else is one.
    """
    train, test = Path(directory) / "train", Path(directory) / "test"
    if not train.is_dir():
        return directory, None
    return str(train), str(test) if test.is_dir() else None


def _not_found(spec: str) -> str:
    path = Path(spec)
    if path.is_file():
        return f"{spec} is a file, but neither a .csv nor a .parquet manifest; give its folder instead"
    if os.sep in spec or path.suffix:
        return f"There is no folder or manifest {spec}"
    return f"There is no folder {spec}, and " + unknown_name("data set", spec, list(NAMES)).replace("U", "u", 1)
