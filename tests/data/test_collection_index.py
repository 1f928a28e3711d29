"""The saved index: what is written is read, and damage is refused."""

from pathlib import Path

import numpy as np
import pytest

from budgetal.data import Collection, load_index, save_index
from budgetal.data.pixels import ArrayPixels
from budgetal.errors import StorageError
from budgetal.types import Quarantined, Sample

PIXELS = ArrayPixels(np.zeros((2, 4, 4), np.uint8), np.arange(2))
SAMPLES = (Sample("a1", ("x.png", "y/ü.png"), "cat"), Sample("b2", ("z.png",), None))
QUARANTINED = (Quarantined("bad.png", "the file is empty"), Quarantined("bad.png", "label conflict"))


@pytest.mark.parametrize("samples", [SAMPLES, ()])
@pytest.mark.parametrize("quarantined", [QUARANTINED, ()])
@pytest.mark.parametrize("classes", [("dog", "cat"), ()])
def test_index_comes_back_as_it_was(tmp_path: Path, samples, quarantined, classes) -> None:
    save_index(Collection(samples, quarantined, classes, PIXELS), tmp_path / "index.parquet")
    assert load_index(tmp_path / "index.parquet") == (samples, quarantined, classes)


def test_same_collection_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_index(Collection(SAMPLES, QUARANTINED, ("cat",), PIXELS), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_or_torn_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.parquet"
    with pytest.raises(StorageError, match="index the images again"):
        load_index(path)
    save_index(Collection(SAMPLES, QUARANTINED, (), PIXELS), path)
    content = path.read_bytes()
    for keep in range(0, len(content), 97):
        path.write_bytes(content[:keep])
        with pytest.raises(StorageError):
            load_index(path)
