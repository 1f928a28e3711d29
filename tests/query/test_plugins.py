"""Strategies of other packages: installed they are there, broken they are left out."""

import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from budgetal.query import plugins, strategies

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "examples" / "own_strategy"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The tutorial's package, installed by pip into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source") / "package"
    source.mkdir()
    for file in ("pyproject.toml", "sure_and_unsure.py"):
        (source / file).write_bytes((PACKAGE / file).read_bytes())
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", *install, str(source)], check=True)
    return target


def python(installed, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True
    ).stdout


def test_an_installed_package_s_strategy_is_listed_like_any_other(installed):
    code = "from budgetal.cli import main; main(['strategies', '--json'])"
    listed = {item["name"]: item for item in json.loads(python(installed, "-c", code))}
    assert listed["sure_and_unsure"]["needs"] == ["probs"]
    assert "margin" in listed


def test_the_tutorial_s_strategy_keeps_every_promise(installed):
    assert " passed" in python(installed, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", str(PACKAGE))


def found(monkeypatch, *entries):
    monkeypatch.setattr(plugins, "entry_points", lambda group: entries)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("no_such_module", "ModuleNotFoundError"), ("budgetal.query:no_such_name", "AttributeError")],
)
def test_a_package_that_cannot_be_imported_is_left_out_with_a_warning(monkeypatch, value, reason):
    good = EntryPoint("good", "json", plugins.GROUP)
    found(monkeypatch, EntryPoint("broken", value, plugins.GROUP), good)
    with pytest.warns(UserWarning, match=f"Strategy plugin 'broken' of an unknown package was left out: {reason}"):
        assert plugins.load_plugins() == ("good",)


def test_a_name_that_is_taken_stays_with_its_owner(monkeypatch, tmp_path):
    (tmp_path / "thief.py").write_text(
        "from budgetal.query import strategy\n"
        "@strategy('margin', needs=(), source='x', cost='O(N)')\n"
        "def margin(pool, n, rng):\n    'Mine.'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found(monkeypatch, EntryPoint("thief", "thief", plugins.GROUP))
    before = strategies["margin"]
    with pytest.warns(UserWarning, match="strategy 'margin' is registered twice"):
        plugins.load_plugins()
    assert strategies["margin"] is before
