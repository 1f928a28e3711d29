"""The settings' file and the journal: a kill between leaves the journal right, and no edit by a person is lost."""

import pytest

from budgetal import changes
from budgetal.config import load_config
from budgetal.project import Project

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


class Killed(BaseException):
    pass


def killed(*_given, **_named):
    raise Killed


@pytest.fixture
def interrupted(make, monkeypatch):
    """A project whose process was killed once a larger budget was in the journal, before it was in the file."""
    project = make()
    with monkeypatch.context() as kill:
        kill.setattr(changes, "save_config", killed)
        with pytest.raises(Killed):
            project.configure(budget=80)
    assert load_config(project.folder / "budgetal.toml").budget == 60
    return project


def settings_events(project):
    return [event.data["changes"] for event in project.logbook.events() if event.kind == "configured"]


def edit(project, before, after):
    path = project.folder / "budgetal.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def opened(project):
    again = Project.open(project.folder)
    assert load_config(project.folder / "budgetal.toml") == again.config
    again.close()
    return again


def test_a_change_that_was_recorded_stays_though_its_process_was_killed(interrupted):
    assert opened(interrupted).config.budget == 80
    interrupted.catch_up()
    assert settings_events(interrupted) == [{"budget": 80}]


def test_what_a_person_then_edited_in_the_old_file_counts_too(interrupted):
    edit(interrupted, "batch = 10\n", "batch = 5\n")
    again = opened(interrupted)
    assert (again.config.budget, again.config.batch) == (80, 5)


def test_an_edit_back_to_a_former_value_is_an_edit(make):
    project = make()
    project.configure(budget=80)
    edit(project, "budget = 80\n", "budget = 60\n")
    assert opened(project).config.budget == 60


def test_a_file_that_does_not_say_when_it_was_written_is_read_as_an_edit(make):
    project = make()
    path = project.folder / "budgetal.toml"
    path.write_text(path.read_text().partition("\n")[2].replace("batch = 10", "batch = 7"))
    assert opened(project).config.batch == 7


def test_two_processes_change_settings_one_after_the_other(make):
    project = make()
    other = Project(project.folder)
    project.configure(budget=80)
    other.configure(batch=5)
    other.close()
    again = opened(project)
    assert (again.config.budget, again.config.batch) == (80, 5)
    project.catch_up()
    assert settings_events(project) == [{"budget": 80}, {"batch": 5}]
