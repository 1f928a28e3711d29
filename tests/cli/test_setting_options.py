"""Settings as options: the same names and defaults as in a settings file, read once for every command."""

import pytest
import typer

from budgetal.cli.app import app
from budgetal.cli.settings import SETTINGS, with_settings
from budgetal.config import make_config
from budgetal.errors import ConfigError

REQUIRED = {"images": "digits", "classes": ("a", "b"), "budget": 10}
NOT_SETTINGS = {
    "init": {"folder", "images", "budget", "classes", "given_labels", "gold", "help"},
    "simulate": {"dataset", "out", "budget", "gold", "noise", "annotators", "as_json"},
}


def played(command, *arguments):
    """What a command made of a function gets for these arguments."""
    small = typer.Typer(add_completion=False)
    small.command()(command)
    return typer.main.get_command(small).main(args=list(arguments), standalone_mode=False)


def given_by(*arguments):
    """The settings of a command that has all of them."""
    found = []

    @with_settings()
    def command(before: int = 1, *, settings: dict[str, object], after: int = 2) -> None:
        found.append((before, settings, after))

    played(command, *arguments)
    (one,) = found
    return one


def test_nothing_said_is_every_default_of_a_settings_file():
    before, settings, after = given_by()
    assert (before, after) == (1, 2)
    assert make_config(**REQUIRED, **settings) == make_config(**REQUIRED)


def test_what_is_said_comes_by_name_and_the_commands_own_options_beside_it():
    before, settings, after = given_by("--before", "5", "--tolerance", "0.2", "--no-guard", "--after", "7")
    assert (before, after) == (5, 7)
    changed = {"tolerance": 0.2, "guard": False}
    assert make_config(**REQUIRED, **settings) == make_config(**REQUIRED, **changed)


def test_tables_and_rates_are_read_from_text():
    text = ["--cost-factor-by-class", "a=2, b=0.5", "--cost-per-label-by-annotator", "x=y=3"]
    _, settings, _ = given_by(*text, "--audit-error-rate", "0.1")
    assert settings["cost_factor_by_class"] == {"a": 2.0, "b": 0.5}
    assert settings["cost_per_label_by_annotator"] == {"x=y": 3.0}
    assert settings["audit_error_rate"] == 0.1
    assert given_by("--audit-error-rate", "estimated")[1]["audit_error_rate"] == "estimated"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cost-factor-by-class", "a:2"], "'a:2' in --cost-factor-by-class"),
        (["--cost-per-label-by-annotator", "=2"], "'=2' in --cost-per-label-by-annotator"),
        (["--audit-error-rate", "few"], "'few' in --audit-error-rate"),
    ],
)
def test_text_that_cannot_be_read_names_its_option(arguments, message):
    with pytest.raises(ConfigError, match=message):
        given_by(*arguments)


def test_a_command_has_only_the_settings_that_it_names():
    @with_settings(["risk"])
    def command(*, settings: dict[str, object]) -> None:
        assert settings == {"risk": 0.3}

    played(command, "--risk", "0.3")
    with pytest.raises(typer.BadParameter.__mro__[1], match="--tolerance"):
        played(command, "--tolerance", "0.3")


def test_only_settings_can_be_named():
    with pytest.raises(KeyError, match="rsik"):
        with_settings(["rsik"])


def test_init_offers_every_setting_and_simulate_those_that_played_people_need():
    offered = {name: [one.name for one in typer.main.get_command(app).commands[name].params] for name in NOT_SETTINGS}
    assert [name for name in offered["init"] if name not in NOT_SETTINGS["init"]] == list(SETTINGS)
    left_out = set(SETTINGS) - set(offered["simulate"])
    assert left_out == {"test_images", "budget_money", *(n for n in SETTINGS if n.startswith("cost"))}
    assert set(offered["simulate"]) - set(SETTINGS) == NOT_SETTINGS["simulate"]
