"""A map is drawn while somebody looks, in spare time, and by nobody otherwise."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from budgetal.mapping import Cartographer, MapFolder, look_again, map_progress
from budgetal.mapping import cartographer as module
from budgetal.mapping.interest import is_looked_at, say_progress
from budgetal.simulate import true_labels
from budgetal.store import Instant
from budgetal.types import Annotation

SETTINGS = {"budget": 90, "audit": 40, "initial": 12, "batch": 10, "tolerance": 0.3, "risk": 0.3}
PATIENCE_S = 100
AT_ONCE = (
    sys.executable,
    "-c",
    "import sys, budgetal.mapping.drawing as it, pathlib; it.draw(pathlib.Path(sys.argv[1]))",
)
"""Draws without stepping aside, so that the test does not wait until all other tests are over."""


@pytest.fixture
def project(make):
    """One round is over."""
    project = make()
    truth = true_labels(project)
    for _ in range(2):
        project.tell([Annotation(i, truth[i]) for i in project.ask().sample_ids])
    project.ask()
    return project


@pytest.fixture
def cartographer(project, monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.0)
    cartographer = Cartographer(project.folder, project.logbook, AT_ONCE)
    yield cartographer
    cartographer.close()


def tend_until(cartographer, condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        cartographer.tend()
        time.sleep(0.05)


def test_nobody_looks_nothing_is_drawn(cartographer):
    cartographer.tend()
    assert not cartographer.is_drawing


def test_somebody_looks_and_the_map_of_the_newest_embeddings_is_drawn_once(project, cartographer):
    look_again(project.logbook)
    n_events = project.logbook.last_seq()
    cartographer.tend()
    assert cartographer.is_drawing
    tend_until(cartographer, lambda: not cartographer.is_drawing)
    found = MapFolder(project.folder).newest()
    assert found.is_finished
    assert found.of == project.state.embeddings_ref
    assert MapFolder(project.folder).points(found).shape == (240, 2)
    cartographer.tend()
    assert not cartographer.is_drawing
    assert map_progress(project.logbook) is None
    assert project.logbook.last_seq() == n_events


def test_switched_off_or_before_the_first_model_nothing_is_drawn(make, project, cartographer):
    look_again(project.logbook)
    project.configure(map="off")
    cartographer.tend()
    assert not cartographer.is_drawing
    young = make("young")
    look_again(young.logbook)
    other = Cartographer(young.folder, young.logbook)
    other.tend()
    assert not other.is_drawing


def test_a_map_that_is_being_drawn_ends_with_the_learner(project, cartographer):
    look_again(project.logbook)
    cartographer.tend()
    (child,) = [one for one in psutil.Process().children() if any("budgetal.mapping" in word for word in one.cmdline())]
    cartographer.close()
    assert not child.is_running()


def test_a_map_that_cannot_be_drawn_is_said_once_and_not_tried_at_once(project, cartographer, caplog):
    for file in (project.folder / "cache" / "arrays").glob("*embeddings*"):
        file.unlink()
    look_again(project.logbook)
    cartographer.tend()
    deadline = time.monotonic() + PATIENCE_S
    while cartographer.is_drawing:
        assert time.monotonic() < deadline
        cartographer.tend()
        time.sleep(0.05)
    assert "could not be drawn" in caplog.text
    cartographer.tend()
    assert not cartographer.is_drawing


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="needs Linux's idle scheduling")
def test_the_drawing_process_takes_only_time_that_nobody_wants():
    program = (
        "import os; from budgetal.mapping.__main__ import step_aside; step_aside(); "
        "print(os.sched_getscheduler(0) == os.SCHED_IDLE, os.nice(0))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "19"]


def test_interest_ends_by_itself(project):
    now = [Instant("test", 0.0)]
    assert not is_looked_at(project.logbook, lambda: now[0])
    look_again(project.logbook, lambda: now[0])
    now[0] = Instant("test", 299.0)
    assert is_looked_at(project.logbook, lambda: now[0])
    now[0] = Instant("test", 301.0)
    assert not is_looked_at(project.logbook, lambda: now[0])


def test_progress_is_told_until_the_end_or_until_the_drawing_process_is_gone(project):
    now = [Instant("test", 0.0)]
    say_progress(project.logbook, 3, 10, lambda: now[0])
    assert (
        map_progress(project.logbook, lambda: now[0]).done,
        map_progress(project.logbook, lambda: now[0]).total,
    ) == (3, 10)
    now[0] = Instant("test", 60.0)
    assert map_progress(project.logbook, lambda: now[0]) is None
    say_progress(project.logbook, 10, 10, lambda: now[0])
    assert map_progress(project.logbook, lambda: now[0]) is None
