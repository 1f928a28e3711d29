"""`budgetal review`: a list of doubtful labels out, checked labels in."""

import csv
import json

import pytest

from budgetal.cli import exit_code
from budgetal.project import Project

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


def test_a_list_is_corrected_and_given_back(finished, tmp_path, capsys):
    folder, table = str(finished.folder), tmp_path / "risky.csv"
    assert exit_code(["review", folder, "--n", "3", "--out", str(table)]) == 0
    with table.open() as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == 3
    rows[0]["label"] = next(name for name in finished.config.classes if name != rows[0]["label"])
    with table.open("w") as sink:
        writer = csv.DictWriter(sink, fieldnames=rows[0])
        writer.writeheader()
        writer.writerows(rows)
    capsys.readouterr()
    assert exit_code(["review", folder, "--labels", str(table), "--annotator", "anna", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["n"] == 3
    assert said["certificate_after_review"]["n_corrected"] == 1
    assert Project.open(folder).state.reviews.of(rows[0]["sample_id"]).label == rows[0]["label"]
    assert exit_code(["status", folder]) == 0
    assert "corrected 1" in capsys.readouterr().out
    assert exit_code(["certify", folder]) == 0
    assert "corrected 1" in capsys.readouterr().out


def test_the_list_is_json_where_asked_for(finished, capsys):
    assert exit_code(["review", str(finished.folder), "--order", "disagreement", "--n", "2", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("path,label\nnowhere.png,red\n", "nowhere"),
        ("a,b\n1,2\n", "label"),
        ("sample_id,label\n{audit},red\n", "review"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(finished, tmp_path, capsys, content, word):
    table = tmp_path / "wrong.csv"
    table.write_text(content.format(audit=next(iter(finished.state.audit))))
    assert exit_code(["review", str(finished.folder), "--labels", str(table)]) == 2
    problem = capsys.readouterr().err
    assert word in problem
    assert problem.count("\n") == 1


def test_an_unknown_class_is_refused(finished, capsys):
    assert exit_code(["review", str(finished.folder), "--label", "bleu"]) == 2
    assert "blue" in capsys.readouterr().err
