import csv
import json
from dataclasses import asdict

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgetal.cells import escape_cell, unescape_cell
from budgetal.errors import ConfigError, DataError
from budgetal.export import EXPORTERS, LabelRow, export_labels
from budgetal.export.labels import COLUMNS

ROWS = (
    LabelRow("id1", ("a/1.png", "b/copy, of 1.png"), "cat", "human", None, "Ada", 0),
    LabelRow("id2", ("c/2.png",), 'dog "é"\nnewline', "auto", 0.987654321, None, 3),
    LabelRow("id3", ("=cmd|' /C calc'!A0",), "@sum", "predicted", 0.5),
)
FILE_FORMATS = ("csv", "jsonl", "parquet")


def expected(rows=ROWS):
    return [
        {column: path if column == "path" else asdict(row)[column] for column in COLUMNS}
        for row in rows
        for path in row.paths
    ]


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: unescape_cell(cell) for key, cell in row.items()} for row in csv.DictReader(file)]


def test_the_formats_are_the_documented_ones():
    assert list(EXPORTERS) == ["csv", "imagefolder", "jsonl", "parquet"]


def test_csv_has_a_line_for_every_path(tmp_path):
    out = export_labels(ROWS, "csv", tmp_path / "labels.csv")
    written = [{key: "" if cell is None else str(cell) for key, cell in row.items()} for row in expected()]
    assert read_csv(out) == written


def test_csv_disarms_what_a_spreadsheet_would_run(tmp_path):
    text = export_labels(ROWS, "csv", tmp_path / "labels.csv").read_text()
    assert "'=cmd|" in text
    assert ",'@sum," in text


def test_jsonl_has_a_line_for_every_path_unescaped(tmp_path):
    out = export_labels(ROWS, "jsonl", tmp_path / "labels.jsonl")
    assert [json.loads(line) for line in out.read_text().splitlines()] == expected()


def test_parquet_has_a_row_for_every_path_unescaped(tmp_path):
    table = pq.read_table(export_labels(ROWS, "parquet", tmp_path / "labels.parquet"))
    assert table.to_pylist() == expected()
    assert table.column_names == list(COLUMNS)


def test_the_types_of_parquet_do_not_depend_on_the_rows(tmp_path):
    empty = pq.read_schema(export_labels((), "parquet", tmp_path / "empty.parquet"))
    full = pq.read_schema(export_labels(ROWS, "parquet", tmp_path / "full.parquet"))
    assert empty.equals(full)


@given(st.text())
def test_escaping_a_cell_is_safe_and_can_be_undone(text):
    assert escape_cell(text)[:1] not in tuple("=+-@\t\r\n")
    assert unescape_cell(escape_cell(text)) == text


@given(st.text("'=+-@\t\r\n\"x, ;", max_size=5), st.text("'=+-@\t\r\n\"x, ;", max_size=5))
def test_two_cells_never_look_the_same_once_escaped(first, second):
    assert (escape_cell(first) == escape_cell(second)) == (first == second)
    assert unescape_cell(escape_cell(first)) == first


text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(text, text, st.floats(0, 1), st.none() | text)
def test_any_row_survives_csv(tmp_path_factory, path, label, confidence, annotator):
    row = LabelRow("id", (path,), label, "human", confidence, annotator, 2)
    out = export_labels([row], "csv", tmp_path_factory.mktemp("any") / "labels.csv")
    (read,) = read_csv(out)
    assert (read["path"], read["label"], read["annotator"]) == (path, label, annotator or "")
    assert float(read["confidence"]) == confidence


@pytest.mark.parametrize("format", FILE_FORMATS)
def test_the_folder_of_a_file_is_made_and_the_file_replaced(tmp_path, format):
    out = tmp_path / "new" / "labels"
    assert export_labels(ROWS, format, out) == out
    first = out.read_bytes()
    export_labels(ROWS[:1], format, out)
    assert out.read_bytes() != first
    assert [file.name for file in out.parent.iterdir()] == ["labels"]


@pytest.mark.parametrize("format", FILE_FORMATS)
def test_a_folder_is_not_taken_for_a_file(tmp_path, format):
    with pytest.raises(DataError, match="is a folder"):
        export_labels(ROWS, format, tmp_path)


@pytest.mark.parametrize("format", FILE_FORMATS)
@pytest.mark.parametrize("row", [("caf\udce9.png", "cat"), ("1.png", "caf\udce9")])
def test_text_that_is_not_utf8_is_refused_and_nothing_written(tmp_path, format, row):
    out = tmp_path / "labels"
    with pytest.raises(DataError, match="not valid UTF-8"):
        export_labels([LabelRow("id", row[:1], row[1], "human")], format, out)
    assert not out.exists()


def test_an_unknown_format_is_answered_with_a_suggestion(tmp_path):
    with pytest.raises(ConfigError, match="did you mean 'parquet'"):
        export_labels(ROWS, "parket", tmp_path / "labels")
