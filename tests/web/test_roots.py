"""Folders that a browser may choose: those below the roots, whatever it sends."""

import pytest
from PIL import Image

from budgetal.errors import ConfigError, DataError
from budgetal.web.roots import Roots


@pytest.fixture
def tree(tmp_path):
    """A root with two labelled folders, and beside it what nobody may see."""
    for path in (
        "pictures/owl/1.png",
        "pictures/crow/2.png",
        "pictures/crow/3.png",
        "secret/4.png",
        "pictures/.git/5.png",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / path)
    (tmp_path / "pictures" / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "pictures" / "note.txt").write_text("no image")
    return tmp_path


@pytest.fixture
def roots(tree):
    return Roots([tree / "pictures"])


def test_a_folder_is_shown_with_its_images_and_classes(roots):
    found = roots.look("pictures", [])
    assert (found.folders, found.n_images, found.classes) == (("crow", "owl"), 3, ("crow", "owl"))
    inside = roots.look("pictures", ["crow"])
    assert (inside.folders, inside.n_images, inside.classes) == ((), 2, ())


@pytest.mark.parametrize(
    "names",
    [
        [".."],
        ["..", "secret"],
        ["crow", "..", "..", "secret"],
        ["../secret"],
        ["crow/../../secret"],
        ["out"],
        [".git"],
        ["."],
        [""],
        ["nowhere"],
        ["crow", "2.png"],
        ["note.txt"],
        ["/etc"],
        ["c:"],
        ["..\\secret"],
        ["crow\0"],
    ],
)
def test_nothing_outside_and_nothing_hidden_can_be_named(roots, names):
    with pytest.raises(DataError):
        roots.look("pictures", names)


def test_a_root_is_named_and_not_a_path(roots, tree):
    for root in ("", "secret", str(tree / "pictures"), "/"):
        with pytest.raises(DataError, match="root"):
            roots.look(root, [])


def test_two_roots_of_one_name_are_told_apart(tree):
    (tree / "other" / "pictures").mkdir(parents=True)
    roots = Roots([tree / "pictures", tree / "other" / "pictures", tree / "pictures"])
    assert roots.names == ("pictures", "pictures (2)")
    assert roots.look("pictures (2)", []).n_images == 0


@pytest.mark.parametrize("name", ["nowhere", "pictures/note.txt"])
def test_a_root_that_is_no_folder_is_refused(tree, name):
    with pytest.raises(ConfigError, match="no folder"):
        Roots([tree / name])


def test_a_root_that_is_a_link_stands_for_where_it_leads(tree):
    (tree / "link").symlink_to(tree / "pictures")
    assert Roots([tree / "link"]).look("pictures", ["owl"]).n_images == 1
