from budgetal.data.labels import read_labels
from budgetal.export.labels import LabelRow, export_labels


def test_labels_that_budgetal_wrote_are_read_as_they_were(tmp_path):
    rows = [LabelRow("0" * 32, ("=1.png",), "-1", "human"), LabelRow("1" * 32, ("b.png",), "'+x", "auto")]
    export_labels(rows, "csv", tmp_path / "labels.csv")
    assert read_labels(tmp_path / "labels.csv") == {"0" * 32: "-1", "1" * 32: "'+x"}


def test_a_table_of_the_users_own_is_taken_as_it_is(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\na.png,'-1\n")
    assert read_labels(tmp_path / "labels.csv") == {"a.png": "'-1"}
