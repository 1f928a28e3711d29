"""CSV and Parquet manifests, and tables of labels."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from budgetal.data import load_collection, read_labels
from budgetal.errors import DataError


@pytest.fixture
def manifest(tmp_path: Path, write_image) -> Path:
    for i, name in enumerate(["a.png", "deep/b.png", "c.png"]):
        write_image(tmp_path / name, seed=i)
    path = tmp_path / "manifest.csv"
    path.write_text("path,label\na.png,007\ndeep/b.png,cat\nc.png,\n", encoding="utf-8")
    return path


def labels(path: Path, **options: bool) -> dict[str, str | None]:
    samples = load_collection(str(path), side=8, **options).samples
    return {sample.paths[0]: sample.label for sample in samples}


def test_csv_labels_stay_text_and_may_be_missing(manifest: Path) -> None:
    assert labels(manifest) == {"a.png": "007", "deep/b.png": "cat", "c.png": None}
    assert load_collection(str(manifest), side=8).classes == ("007", "cat")
    assert set(labels(manifest, labelled=False).values()) == {None}


def test_only_the_named_files_are_used(manifest: Path) -> None:
    manifest.write_text("path\nc.png\n")
    assert labels(manifest) == {"c.png": None}


def test_spreadsheet_habits_are_understood(manifest: Path) -> None:
    manifest.write_bytes('\ufeffid, path ,label\r\n1,"a.png", x\r\n\r\n'.encode())
    assert labels(manifest) == {"a.png": "x"}


def test_parquet_gives_the_same_collection_as_csv(manifest: Path) -> None:
    table = pa.table({"path": ["a.png", "deep/b.png", "c.png"], "label": ["007", "cat", None]})
    pq.write_table(table, manifest.with_suffix(".parquet"))
    assert labels(manifest.with_suffix(".parquet")) == labels(manifest)


def test_whole_numbers_stored_as_floats_name_the_same_class(manifest: Path) -> None:
    columns = {"path": ["a.png", "c.png"], "label": pa.array([3.0, float("nan")], pa.float64())}
    pq.write_table(pa.table(columns), manifest.with_suffix(".parquet"))
    assert labels(manifest.with_suffix(".parquet")) == {"a.png": "3", "c.png": None}


def test_columns_are_not_invented_from_folder_names(tmp_path: Path, write_image) -> None:
    write_image(tmp_path / "label=cat/a.png")
    pq.write_table(pa.table({"path": ["a.png"]}), tmp_path / "label=cat/m.parquet")
    assert labels(tmp_path / "label=cat/m.parquet") == {"a.png": None}


def test_contradicting_rows_keep_the_first_label_and_are_reported(manifest: Path) -> None:
    manifest.write_text("path,label\na.png,y\na.png,x\na.png,y\n")
    collection = load_collection(str(manifest), side=8)
    assert [(sample.paths, sample.label) for sample in collection.samples] == [(("a.png",), "x")]
    assert [entry.path for entry in collection.quarantined] == ["a.png"]
    assert "label conflict: 'y' here" in collection.quarantined[0].reason


def test_paths_may_not_leave_the_folder(manifest: Path, write_image) -> None:
    outside = write_image(manifest.parent.parent / "outside.png", seed=9)
    manifest.write_text(f"path\na.png\n../outside.png\n{outside}\n")
    collection = load_collection(str(manifest), side=8)
    assert [sample.paths for sample in collection.samples] == [("a.png",)]
    assert len(collection.quarantined) == 2
    assert all("leads out of the folder" in entry.reason for entry in collection.quarantined)


def test_missing_files_are_counted_and_the_first_is_named(manifest: Path) -> None:
    manifest.write_text("path,label\na.png,x\nz.png,x\ngone.png,x\n")
    with pytest.raises(DataError, match=r"2 of 3 files that do not exist, the first: 'gone\.png'"):
        load_collection(str(manifest), side=8)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"file,label\na.png,x\n", "has no column 'path'; its columns: file, label"),
        (b"", "has no column 'path'; its columns: none"),
        (b"path,label\na.png\n", "line 2 of .* has 1 values, but the header names 2"),
        (b"path,path\na.png,b\n", "names a column twice"),
        (b"path\n\xff\xfe\n", "Cannot read the table"),
        (b"path\na\0b\n", "files that do not exist|Cannot read the table"),
        (b"path,label\n", "There are no images"),
    ],
)
def test_unusable_manifests_answer_with_one_clear_line(manifest: Path, content: bytes, message: str) -> None:
    manifest.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_collection(str(manifest), side=8)


def test_damaged_parquet_answers_with_one_clear_line(manifest: Path) -> None:
    manifest.with_suffix(".parquet").write_bytes(b"PAR1 no table")
    with pytest.raises(DataError, match="Cannot read the table"):
        load_collection(str(manifest.with_suffix(".parquet")), side=8)


@pytest.mark.parametrize("key", ["path", "sample_id", "id"])
def test_labels_are_read_by_any_key(tmp_path: Path, key: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(f"{key},label\na,cat\nb,\nc,dog\na,cat\n")
    assert read_labels(table) == {"a": "cat", "c": "dog"}


def test_ids_are_preferred_to_paths(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["p"], "sample_id": ["s"], "label": [4]}), tmp_path / "l.parquet")
    assert read_labels(tmp_path / "l.parquet") == {"s": "4"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path\na\n", "needs a column 'label'"),
        ("label\na\n", "one of sample_id, id, path"),
        ("path,label\na,x\na,y\n", "gives 'a' two labels: 'x' and 'y'"),
    ],
)
def test_unusable_label_tables_are_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_labels(tmp_path / "labels.csv")


def test_missing_label_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*labels\.csv"):
        read_labels(tmp_path / "labels.csv")
