"""A simulation goes on with the people that it began with."""

import pytest
from typer.testing import CliRunner

from budgetal.cli import app
from budgetal.errors import ProjectError
from budgetal.project import Project
from budgetal.simulate import simulate

SETTINGS = {"budget": 30, "audit": 10, "initial": 5, "batch": 5}


@pytest.fixture(scope="module")
def begun(images, tmp_path_factory):
    out = tmp_path_factory.mktemp("played") / "run"
    simulate(str(images), out, noise=0.1, n_annotators=3, **SETTINGS)
    return out


@pytest.mark.parametrize("people", [{"noise": 0.2, "n_annotators": 3}, {"noise": 0.1, "n_annotators": 2}, {}])
def test_other_people_are_refused(begun, images, people):
    with pytest.raises(ProjectError, match=r"holds a run with --noise 0\.1 --annotators 3, not"):
        simulate(str(images), begun, **people, **SETTINGS)


def test_the_command_says_so_in_one_line(begun, images):
    settings = [word for name, value in SETTINGS.items() for word in (f"--{name}", str(value))]
    command = ["simulate", "--dataset", str(images), "--out", str(begun), *settings, "--noise", "0.3"]
    said = CliRunner().invoke(app, command)
    assert isinstance(said.exception, ProjectError)
    assert "\n" not in str(said.exception)
    assert "choose another --out" in str(said.exception)


def test_the_same_people_go_on_and_come_to_the_same(begun, images):
    assert simulate(str(images), begun, noise=0.1, n_annotators=3, **SETTINGS)["n_paid_labels"] == 30
    assert Project.open(begun).state.simulated == {"noise": 0.1, "annotators": 3}


def test_a_run_that_does_not_say_who_played_its_people_goes_on(images, tmp_path):
    Project.create(tmp_path / "run", images=str(images), **SETTINGS).close()
    assert simulate(str(images), tmp_path / "run", noise=0.5, **SETTINGS)["n_paid_labels"] == 30
