"""Grids of look-alikes by keyboard to the end of a small budget, while a learner works and the server is killed."""

import pytest
from annotate_page import KEYS, LOST, kept_here, press, shown, text, tiles
from chromium import addresses, click, complaints, start_chromium, until, why_no_chromium
from collections_made import write_npy
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from serving import Server

from budgetal.project import Project
from budgetal.simulate import true_labels

pytestmark = pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())

SETTINGS = {"budget": 60, "audit": 16, "initial": 9, "batch": 12, "tolerance": 0.3, "risk": 0.3}


@pytest.fixture
def project(tmp_path):
    images = write_npy(tmp_path / "images", 150)
    return Project.create(tmp_path / "colours", images=str(images), seed=1, **SETTINGS)


@pytest.fixture
def server(project, tmp_path):
    server = Server(project.folder, tmp_path / "state")
    yield server
    server.stop()


@pytest.fixture
def browser(server):
    browser = start_chromium()
    browser.get(server.link)
    yield browser
    browser.quit()


def is_over(browser):
    return "All done" in browser.find_element(By.TAG_NAME, "body").text


def before_the_person(browser):
    """The sample ids on the screen: a grid's, or one."""
    return [sample_id for sample_id, _ in tiles(browser)] or [i for i in [shown(browser)] if i]


def answer(browser, truth):
    """Put the screen right and go on to the next. Returns whether it was a grid."""
    now, said = before_the_person(browser), tiles(browser)
    for place, (sample_id, words) in enumerate(said):
        if words.partition(": ")[2].partition(",")[0] != truth[sample_id]:
            click(browser, "#grid .tile", place=place)
            press(browser, KEYS[truth[sample_id]])
    press(browser, Keys.ENTER if said else KEYS[truth[now[0]]])
    until(lambda: before_the_person(browser) != now)
    return bool(said)


def test_grids_to_the_end_of_the_budget(browser, server, project):
    truth, n_grids, was_killed = true_labels(project), 0, False
    until(lambda: shown(browser))
    press(browser, "g")
    while until(lambda: before_the_person(browser) or is_over(browser)) is not True:
        n_grids += answer(browser, truth)
        if n_grids == 1 and not was_killed:
            was_killed = True
            server.kill()
            until(lambda: "cannot be reached" in text(browser, "line"))
            server.start()
    until(lambda: kept_here(browser) == 0)
    project.catch_up()
    state = project.state
    assert (state.n_paid, n_grids >= 2) == (60, True)
    assert {i: label.label for i, label in state.labels.items()} == {i: truth[i] for i in state.labels}
    shown_with_guess = {i for i, label in state.labels.items() if label.suggestion}
    assert len(shown_with_guess) >= 8
    assert not shown_with_guess & state.audit.keys()
    assert [line for line in complaints(browser) if not any(word in line for word in LOST)] == []
    assert {address for address in addresses(browser) if not address.startswith(server.origin)} == set()
