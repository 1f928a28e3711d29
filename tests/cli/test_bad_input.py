"""Bad input: one clear line on stderr, nothing on stdout, exit code 2."""

import errno
import json
import os
import sqlite3

import numpy as np
import pytest
from collections_made import write_npy, write_tree

from budgetal.cli import exit_code
from budgetal.project import Project


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 90)


@pytest.fixture
def project(images, tmp_path):
    folder = tmp_path / "project"
    Project.create(folder, images=str(images), budget=40, audit=20, tolerance=0.2).close()
    return folder


def _complaint(capsys, *arguments):
    code = exit_code([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert code == 2
    return captured.err


def test_a_number_that_is_none_is_named(capsys, images, tmp_path):
    said = _complaint(capsys, "init", tmp_path / "new", "--images", images, "--budget", "abc")
    assert "Invalid value for '--budget'" in said
    assert "'abc'" in said


def test_a_word_that_cannot_be_is_told_without_the_words_of_a_library(capsys, images, tmp_path):
    error = _complaint(capsys, "init", tmp_path / "p", "--images", images, "--budget", 20, "--start", "hot")
    assert "'--start': 'hot' is not one of 'restart', 'warm', 'shrink'" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--budget", "20", "--audit", "30"], "audit of 30 labels is above the budget of 20"),
        (["--budget", "20", "--tolerance", "0"], "'tolerance' cannot be 0"),
        (["--budget", "20", "--tolerance", "1"], "'tolerance' cannot be 1"),
        (["--budget", "20", "--risk", "-0.1"], "'risk' cannot be -0.1"),
        (["--budget", "20", "--tolerance", "1e-310"], "'tolerance' cannot be 1e-310"),
        (["--budget", "20", "--learning-rate", "inf"], "'learning_rate' cannot be inf"),
        (["--budget", "0"], "'budget' cannot be 0"),
        (["--budget", "many"], "'--budget'"),
        (["--budget", "40", "--strategy", "entrophy"], "did you mean 'entropy'"),
        (["--budget", "40", "--backbone", "resnet51"], "did you mean 'resnet50'"),
        (["--budget", "40", "--weights", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--budget", "40", "--finetune", "everything"], "everything"),
        (["--bugdet", "40"], "--bugdet"),
        ([], "--budget"),
    ],
)
def test_options_that_cannot_be(images, tmp_path, capsys, options, message):
    out = tmp_path / "out"
    assert message in _complaint(capsys, "simulate", "--dataset", images, "--out", out, *options)
    assert not (out / "report.json").exists()


def test_no_images(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    message = _complaint(capsys, "init", tmp_path / "p", "--images", tmp_path / "empty", "--budget", 40)
    assert "no images" in message.lower()


def test_no_folder(tmp_path, capsys):
    assert "no folder" in _complaint(capsys, "init", tmp_path / "p", "--images", tmp_path / "x", "--budget", 40)


def test_one_class(tmp_path, capsys):
    images = write_npy(tmp_path / "images", 30)
    np.save(images / "labels.npy", np.zeros(30, np.uint8))
    (images / "classes.txt").unlink()
    message = _complaint(capsys, "simulate", "--dataset", images, "--out", tmp_path / "p", "--budget", 20)
    assert "two classes or more" in message


def test_a_label_that_is_no_class(images, tmp_path, capsys):
    arguments = ("init", tmp_path / "p", "--images", images, "--budget", 40, "--classes", "red,green")
    assert "Unknown label 'blue'" in _complaint(capsys, *arguments)


def test_an_oracle_with_a_label_that_is_no_class(project, tmp_path, capsys):
    rows = [f"{sample.sample_id},purple" for sample in Project.open(project).samples]
    (tmp_path / "labels.csv").write_text("\n".join(["sample_id,label", *rows]))
    assert "Unknown label 'purple'" in _complaint(capsys, "run", project, "--oracle", tmp_path / "labels.csv")


def test_an_oracle_that_knows_none_of_the_images(project, tmp_path, capsys):
    (tmp_path / "labels.csv").write_text("path,label\nelsewhere.png,red\n")
    assert "names no image" in _complaint(capsys, "run", project, "--oracle", tmp_path / "labels.csv")


def test_a_manifest_with_missing_files(tmp_path, capsys):
    (tmp_path / "manifest.csv").write_text("path,label\na.png,x\nb.png,y\n")
    message = _complaint(capsys, "init", tmp_path / "p", "--images", tmp_path / "manifest.csv", "--budget", 40)
    assert "a.png" in message


@pytest.mark.parametrize("command", ["status", "export", "run", "predict"])
def test_a_folder_that_is_no_project(tmp_path, capsys, command):
    more = {"export": ["--out", "x"], "run": ["--oracle", "x.csv"], "predict": ["images"]}
    _complaint(capsys, command, tmp_path, *more.get(command, []))


def test_a_journal_of_a_newer_version(project, capsys):
    connection = sqlite3.connect(project / "journal.db")
    (table,) = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%version%'").fetchone()
    connection.execute(f"UPDATE {table} SET version_num = '9999'")
    connection.commit()
    connection.close()
    assert "newer" in _complaint(capsys, "status", project)


def test_a_settings_file_with_an_unknown_key(project, capsys):
    path = project / "budgetal.toml"
    path.write_text(path.read_text() + "tolerence = 0.1\n")
    assert "did you mean 'tolerance'" in _complaint(capsys, "status", project)


def test_an_unknown_command(capsys):
    assert "simulat" in _complaint(capsys, "simulat")


def test_a_full_disk(tmp_path, capsys, monkeypatch):
    images = write_tree(tmp_path / "images", 30)

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    arguments = ("init", tmp_path / "p", "--images", images, "--budget", 20, "--audit", 10)
    assert "No space left" in _complaint(capsys, *arguments)


def test_a_journal_that_is_no_database(project, capsys):
    (project / "journal.db").write_bytes(b"not a database" * 500)
    code = exit_code(["status", str(project)])
    error = capsys.readouterr().err
    assert code in (1, 2)
    assert error.count("\n") == 1


def test_json_stays_empty_on_bad_input(tmp_path, capsys):
    code = exit_code(["status", str(tmp_path), "--json"])
    captured = capsys.readouterr()
    assert code == 2
    with pytest.raises(json.JSONDecodeError):
        json.loads(captured.out)


def test_weights_and_test_images_are_checked_before_a_project_is_made(images, tmp_path, capsys):
    for options in (["--weights", "none.safetensors"], ["--test-images", tmp_path / "none"], ["--classes", "a,a"]):
        _complaint(capsys, "init", tmp_path / "p", "--images", images, "--budget", 40, *options)
        assert not (tmp_path / "p" / "journal.db").exists()


def test_a_place_that_is_a_file(images, project, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    _complaint(capsys, "init", tmp_path / "file", "--images", images, "--budget", 40)
    _complaint(capsys, "simulate", "--dataset", images, "--out", tmp_path / "file", "--budget", 40)
    _complaint(capsys, "export", project, "--out", tmp_path / "file" / "x.csv")
    (project / "budgetal.toml").unlink()
    (project / "budgetal.toml").mkdir()
    _complaint(capsys, "status", project)
