"""Mixtures of grey-scale images: what is written, and what is refused."""

import csv
import json

import numpy as np
import pytest
from collections_made import write_npy
from PIL import Image

from budgetal.cli import exit_code

LOOP = ["--budget", "40", "--audit", "15", "--initial", "10", "--batch", "15", "--tolerance", "0.3", "--risk", "0.2"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Grey images: bars that lie or stand, in noise."""
    folder = tmp_path_factory.mktemp("grey")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 80, (90, 12, 12)).astype(np.uint8)
    for i, image in enumerate(images):
        view = image if i % 2 else image.T
        view[rng.integers(3, 9)] = 240
    (folder / "images").mkdir()
    np.save(folder / "images" / "images.npy", images)
    np.save(folder / "images" / "labels.npy", np.arange(90, dtype=np.uint8) % 2)
    (folder / "images" / "classes.txt").write_text("stands\nlies\n")
    assert exit_code(["simulate", "--dataset", str(folder / "images"), "--out", str(folder / "run"), *LOOP]) == 0
    return folder / "run", images


def run(capsys, *arguments):
    code = exit_code(["synthesise", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_mixtures_are_pictures_of_two_sources_with_what_the_model_says(project, tmp_path, capsys):
    folder, images = project
    out = tmp_path / "mixtures"
    code, printed, _ = run(capsys, folder, "--n", 8, "--out", out, "--json")
    assert code == 0
    assert json.loads(printed)["n"] == 8
    rows = list(csv.DictReader((out / "manifest.csv").open(newline="")))
    assert {row["path"] for row in rows} == {path.name for path in out.glob("*.png")}
    for row in rows:
        picture = np.asarray(Image.open(out / row["path"]))
        first, second = (images[int(row[name].partition("[")[2].rstrip("]"))] for name in ("first", "second"))
        share = float(row["share_of_first"])
        assert picture.shape == (12, 12)
        assert np.abs(share * first + (1 - share) * second - picture).max() <= 0.51
        assert float(row["p(stands)"]) + float(row["p(lies)"]) == pytest.approx(1, abs=1e-5)
        assert abs(float(row["p(stands)"]) - float(row["p(lies)"])) < 0.2


def test_the_same_seed_gives_the_same_mixtures_and_they_can_be_labelled(project, tmp_path, capsys):
    folder, _ = project
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run(capsys, folder, "--n", 6, "--seed", seed, "--out", tmp_path / name)[0] == 0
    texts = [(tmp_path / name / "manifest.csv").read_text() for name in "abc"]
    assert texts[0] == texts[1] != texts[2]
    arguments = ["init", tmp_path / "next", "--images", tmp_path / "a" / "manifest.csv", "--classes", "stands,lies"]
    assert exit_code([*map(str, arguments), "--budget", "5", "--auto-labeller", "none"]) == 0


@pytest.mark.parametrize("n", [0, -3])
def test_no_mixtures_cannot_be_asked_for(project, tmp_path, capsys, n):
    _is_refused(run(capsys, project[0], "--n", n, "--out", tmp_path / "out"), f"'n' cannot be {n}")
    assert not (tmp_path / "out").exists()


def test_a_seed_below_0_is_refused(project, tmp_path, capsys):
    _is_refused(run(capsys, project[0], "--seed", -1, "--out", tmp_path / "out"), "'seed' cannot be -1")


def test_a_folder_in_use_and_a_folder_without_a_project_are_refused(project, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("")
    _is_refused(run(capsys, project[0], "--out", tmp_path), "is not empty")
    _is_refused(run(capsys, tmp_path, "--out", tmp_path / "out"), "There is no journal")


def test_colour_images_are_refused(tmp_path, capsys):
    images = write_npy(tmp_path / "images", 60)
    assert exit_code(["simulate", "--dataset", str(images), "--out", str(tmp_path / "run"), *LOOP]) == 0
    capsys.readouterr()
    _is_refused(run(capsys, tmp_path / "run", "--out", tmp_path / "out"), "These are colour images")
    assert not (tmp_path / "out").exists()


def test_a_project_without_a_model_is_refused(project, tmp_path, capsys):
    images = project[0].parent / "images"
    arguments = ["init", tmp_path / "new", "--images", images, "--budget", "30", "--audit", "15"]
    assert exit_code(list(map(str, arguments))) == 0
    capsys.readouterr()
    _is_refused(run(capsys, tmp_path / "new", "--out", tmp_path / "out"), "has no model yet")


def _is_refused(result, message):
    code, printed, error = result
    assert code == 2
    assert printed == ""
    assert error.count("\n") == 1, error
    assert message in error
