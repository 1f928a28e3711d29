"""`budgetal classes`: list, add, rename, merge."""

import json

import pytest

from budgetal.cli import exit_code
from budgetal.project import Project

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


@pytest.fixture
def folder(make):
    project = make()
    project.close()
    return str(project.folder)


def test_classes_are_changed_and_listed(folder, capsys):
    assert exit_code(["classes", folder, "rename", "red", "scarlet", "--annotator", "anna"]) == 0
    assert exit_code(["classes", folder, "add", "violet", "--ask-again"]) == 0
    assert "asked again" in capsys.readouterr().out
    assert exit_code(["classes", folder, "merge", "violet", "scarlet"]) == 0
    capsys.readouterr()
    assert exit_code(["classes", folder, "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["blue", "green", "scarlet", "none of these"]
    assert exit_code(["classes", folder]) == 0
    assert "scarlet: 0 labels" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["merge", "red"], ["add", "red"], ["rename", "rde", "x"], ["drop", "red"], ["list", "red"]]
)
def test_a_wrong_change_is_refused_in_one_line(folder, capsys, arguments):
    assert exit_code(["classes", folder, *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert Project.open(folder).config.classes == ("blue", "green", "red")
