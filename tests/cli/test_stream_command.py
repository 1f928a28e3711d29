"""A folder read as a stream: what is decided, what is kept, and what a kill changes (nothing)."""

import csv
import json
import math
import shutil

import pytest
from collections_made import write_npy, write_tree

from budgetal.cli import exit_code
from budgetal.streaming import log

LOOP = ["--budget", "30", "--audit", "15", "--initial", "8", "--batch", "7", "--tolerance", "0.3", "--risk", "0.2"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    images = write_npy(folder / "images", 90)
    assert exit_code(["simulate", "--dataset", str(images), "--out", str(folder / "run"), *LOOP]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = write_tree(tmp_path_factory.mktemp("stream") / "images", 60, seed=7)
    (folder / "green" / "broken.png").write_bytes(b"no image")
    return folder


def run(capsys, *arguments):
    code = exit_code(["stream", *map(str, arguments)])
    return code, *capsys.readouterr()


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_decisions_keep_the_rate_and_say_why(project, images, tmp_path, capsys):
    out = tmp_path / "out"
    code, printed, _ = run(capsys, project, images, "--rate", 0.2, "--chunk", 25, "--out", out, "--json")
    assert code == 0
    summary = json.loads(printed)
    decisions = rows_of(out / "decisions.csv")
    assert [row["path"] for row in decisions] == sorted(row["path"] for row in decisions)
    assert len(decisions) == summary["n_seen"] == summary["n_seen_now"] == 60
    asked = 0
    for seen, row in enumerate(decisions, start=1):
        asked += row["query"] == "yes"
        assert asked == int(row["n_queried"]) <= math.ceil(round(0.2 * seen, 9))
        if row["query"] == "yes":
            assert float(row["uncertainty"]) >= float(row["threshold"])
    assert asked == summary["n_queried"] > 3
    assert [row["path"] for row in rows_of(out / "to_label.csv")] == [
        row["path"] for row in decisions if row["query"] == "yes"
    ]
    assert [row["path"] for row in rows_of(out / "quarantined.csv")] == ["green/broken.png"]
    assert summary["n_quarantined"] == 1


def test_copies_are_the_images_to_label_and_make_a_new_project(project, images, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(capsys, project, images, "--policy", "random", "--rate", 0.5, "--copy", "--out", out)[0] == 0
    listed = [row["path"] for row in rows_of(out / "to_label.csv")]
    assert {path.relative_to(out).as_posix() for path in out.rglob("*.png")} == set(listed)
    for path in listed:
        assert (out / path).read_bytes() == (images / path.removeprefix("to_label/")).read_bytes()
    arguments = ["init", tmp_path / "next", "--images", out / "to_label.csv", "--classes", "blue,green,red"]
    assert exit_code([*map(str, arguments), "--budget", "20", "--audit", "8"]) == 0


@pytest.mark.parametrize("n_chunks", [0, 1, 3])
@pytest.mark.parametrize("moment", ["before", "between"])
def test_a_killed_stream_goes_on_without_spending_twice(
    project, images, tmp_path, capsys, monkeypatch, n_chunks, moment
):
    options = ["--policy", "randomised_variable_uncertainty", "--rate", 0.3, "--chunk", 10, "--seed", 4]
    assert run(capsys, project, images, *options, "--out", tmp_path / "whole")[0] == 0
    with monkeypatch.context() as patch:
        _kill(patch, n_chunks, moment)
        code, printed, error = run(capsys, project, images, *options, "--out", tmp_path / "killed")
    assert (code, printed) == (130, "")
    assert "Interrupted. Nothing is lost" in error
    assert run(capsys, project, images, *options, "--out", tmp_path / "killed")[0] == 0
    for name in log.COLUMNS:
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def _kill(patch, n_chunks, moment):
    """Stop at a chunk: before its rows are appended, or when they are, but the checkpoint is not yet written."""
    commit, append = log.commit, log._append
    done = []

    def dying(folder, checkpoint, rows):
        if len(done) < n_chunks:
            done.append(rows)
            return commit(folder, checkpoint, rows)
        if moment == "between":
            for name, columns in log.COLUMNS.items():
                append(folder / name, columns, rows.get(name, ()))
        raise KeyboardInterrupt

    patch.setattr(log, "commit", dying)


def test_a_folder_that_has_grown_is_offered_from_where_it_ended(project, images, tmp_path, capsys):
    source, out = tmp_path / "source", tmp_path / "out"
    shutil.copytree(images, source)
    later = source / "red"
    shutil.move(later, tmp_path / "later")
    assert run(capsys, project, source, "--out", out)[0] == 0
    before = rows_of(out / "decisions.csv")
    shutil.move(tmp_path / "later", later)
    shutil.copy(later / "0002.png", source / "aaa.png")
    code, printed, _ = run(capsys, project, source, "--out", out)
    assert code == 0
    assert "1 files came later but sort before" in printed
    after = rows_of(out / "decisions.csv")
    assert after[: len(before)] == before
    assert [row["path"].split("/")[0] for row in after[len(before) :]] == ["red"] * 20


def test_an_ensemble_is_compared_chunk_by_chunk(project, images, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--policy", "variance", "--rate", 0.1, "--chunk", 20, "--member", project / "model", "--out", out]
    assert run(capsys, project, images, *options)[0] == 0
    decisions = rows_of(out / "decisions.csv")
    # Twice the same model: no variance, so the first of each chunk. The broken file is one of a chunk's 20.
    assert [row["n_queried"] for row in decisions[19::20]] == ["2", "4", "6"]
    assert decisions[0]["query"] == "yes"
    assert {float(row["uncertainty"]) for row in decisions} == {0.0}


def test_a_copied_model_folder_is_enough(project, images, tmp_path, capsys):
    shutil.copytree(project / "model", tmp_path / "model")
    for folder, out in ((project, "a"), (tmp_path / "model", "b")):
        assert run(capsys, folder, images, "--out", tmp_path / out)[0] == 0
    assert (tmp_path / "a" / "decisions.csv").read_bytes() == (tmp_path / "b" / "decisions.csv").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rate", "0"], "'rate' cannot be 0.0"),
        (["--rate", "1.01"], "'rate' cannot be 1.01"),
        (["--policy", "variable_uncertanty"], "did you mean 'variable_uncertainty'"),
        (["--policy", "variance"], "compares 2 models or more"),
        (["--chunk", "0"], "'chunk' cannot be 0"),
        (["--budget", "0"], "at most 0 labels"),
        (["--threshold", "2"], "'threshold' cannot be 2.0"),
        (["--member", "nowhere"], "nowhere has no model yet"),
    ],
)
def test_options_that_cannot_be(project, images, tmp_path, capsys, options, message):
    _is_refused(run(capsys, project, images, "--out", tmp_path / "out", *options), message)
    assert not (tmp_path / "out").exists()


def test_places_that_cannot_be(project, images, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    _is_refused(run(capsys, tmp_path / "empty", images, "--out", out), "has no model yet")
    _is_refused(run(capsys, project, tmp_path / "empty", "--out", out), "no images in")
    _is_refused(run(capsys, project, tmp_path / "none", "--out", out), "no folder or manifest")
    _is_refused(run(capsys, project, images, "--out", images / "out"), "lies among the images")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "decisions.csv").write_text("mine\n")
    _is_refused(run(capsys, project, images, "--out", tmp_path / "other"), "choose another folder")
    assert (tmp_path / "other" / "decisions.csv").read_text() == "mine\n"


def test_a_folder_of_copies_that_is_somebody_else_s_is_left_alone(project, images, tmp_path, capsys):
    mine = tmp_path / "out" / "to_label" / "blue" / "0000.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    result = run(capsys, project, images, "--policy", "random", "--rate", 1, "--copy", "--out", tmp_path / "out")
    _is_refused(result, "to_label exists, but no stream.json beside it")
    assert mine.read_bytes() == b"mine"


def test_copies_stay_in_their_folder_whatever_paths_a_manifest_has(project, images, tmp_path, capsys):
    source, out = tmp_path / "here" / "source", tmp_path / "there" / "out"
    shutil.copytree(images / "red", source / "red")
    first, second, third = sorted((source / "red").iterdir())[:3]
    paths = [f"../source/red/{first.name}", str(second), f"red/{third.name}"]
    (source / "list.csv").write_text("\n".join(["path", *paths]) + "\n")
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*.png")}
    assert run(capsys, project, source / "list.csv", "--rate", 1, "--copy", "--out", out)[0] == 0
    rows = rows_of(out / "to_label.csv")
    assert len(rows) == 3
    ids = {row["sample_id"]: (out / row["path"]).read_bytes() for row in rows}
    assert sorted(ids.values()) == sorted(path.read_bytes() for path in (first, second, third))
    assert all((out / row["path"]).resolve().is_relative_to(out / "to_label") for row in rows)
    assert f"to_label/red/{third.name}" in [row["path"] for row in rows]
    assert {path: path.stat().st_mtime_ns for path in source.rglob("*.png")} == before
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["out"]


def test_other_settings_in_the_same_folder_are_refused(project, images, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(capsys, project, images, "--out", out)[0] == 0
    before = (out / "decisions.csv").read_bytes()
    _is_refused(run(capsys, project, images, "--out", out, "--rate", "0.5"), "with rate 0.1, not 0.5")
    assert (out / "decisions.csv").read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        *("{", '{"format": 1}', '{"format": 9}', "[]"),
        '{"format": 1, "settings": {}, "selector": {}, "sizes": {}}',
        '{"format": 1, "settings": [], "selector": {}}',
        '{"format": 1, "settings": {}, "selector": {}, "last_path": 3}',
        '{"format": 1, "settings": {}, "selector": {}, "n_quarantined": "x"}',
    ],
)
def test_a_damaged_checkpoint_is_one_line(project, images, tmp_path, capsys, damage):
    out = tmp_path / "out"
    assert run(capsys, project, images, "--out", out)[0] == 0
    (out / "stream.json").write_text(damage)
    code, _, error = run(capsys, project, images, "--out", out)
    assert code == 1
    assert error.count("\n") == 1
    assert "stream.json is damaged" in error


def test_a_table_that_lost_its_end_is_one_line(project, images, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(capsys, project, images, "--out", out)[0] == 0
    (out / "decisions.csv").write_bytes((out / "decisions.csv").read_bytes()[:-10])
    code, _, error = run(capsys, project, images, "--out", out)
    assert code == 1
    assert "decisions.csv is damaged" in error


def _is_refused(result, message):
    code, printed, error = result
    assert code == 2
    assert printed == ""
    assert error.count("\n") == 1, error
    assert message in error
