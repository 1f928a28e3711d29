"""A real browser reviews automatic labels, decides about the run, and makes a project of a folder on the server."""

import time

import pytest
from accessibility import faults
from chromium import addresses, click, complaints, show_as, start_chromium, until, why_no_chromium
from collections_made import write_npy
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from serving import Server

from budgetal.annotators.oracle import Oracle
from budgetal.project import Project
from budgetal.simulate import run, true_labels

pytestmark = pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())

SETTINGS = {"budget": 60, "audit": 30, "initial": 10, "batch": 10, "tolerance": 0.2, "risk": 0.2}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    images = write_npy(tmp_path_factory.mktemp("images"), 120)
    project = Project.create(tmp_path_factory.mktemp("run") / "colours", images=str(images), **SETTINGS)
    run(project, Oracle(true_labels(project)))
    yield project
    project.close()


@pytest.fixture(scope="module")
def browser(chromium):
    return chromium


TILES = "#grid [role=option]"


def tiles(browser):
    return browser.find_elements(By.CSS_SELECTOR, TILES)


def samples(browser):
    return browser.execute_script("return [...document.querySelectorAll('#grid li')].map(one => one.dataset.sample)")


def press(browser, *keys):
    browser.find_element(By.TAG_NAME, "body").send_keys(*keys)


def reviewed(project):
    project.catch_up()
    return project.state.reviews


def test_labels_are_reviewed_by_keyboard_to_the_last_page_and_taken_back(browser, server, project):
    browser.get(f"{server.origin}/review")
    first = until(lambda: samples(browser))
    n = project.state.auto.n
    assert len(first) == 30
    press(browser, "3")
    until(lambda: len(reviewed(project)) == 1)
    assert reviewed(project).of(first[0]).label == project.config.classes[2]
    press(browser, Keys.ARROW_LEFT, Keys.BACKSPACE)
    until(lambda: len(reviewed(project)) == 0)
    press(browser, Keys.ARROW_DOWN, Keys.SHIFT + Keys.ARROW_RIGHT)
    press(browser, " ")
    until(lambda: len(reviewed(project)) == 2)
    pages = 0
    while "All checked" not in browser.find_element(By.ID, "notice").text:
        before = samples(browser)
        press(browser, Keys.ENTER)
        until(lambda before=before: samples(browser) != before)
        pages += 1
    assert pages == -(-n // 30)
    assert len(until(lambda: len(reviewed(project)) == n and reviewed(project))) == n
    assert {given.annotator for word in project.state.reviews.by_image.values() for given in word} == {"human"}
    assert not set(project.state.reviews.by_image) & set(project.state.audit)
    press(browser, Keys.PAGE_UP)
    until(lambda: tiles(browser))
    assert "accepted" in tiles(browser)[0].get_attribute("class")


def test_a_mouse_corrects_and_the_promise_is_told(browser, server, project):
    browser.get(f"{server.origin}/review")
    until(lambda: browser.find_element(By.ID, "notice").is_displayed())
    browser.execute_script(
        "const s = document.getElementById('show'); s.value = 'all'; s.dispatchEvent(new Event('change'))"
    )
    until(lambda: len(tiles(browser)) > 3)
    chosen = samples(browser)[2]
    click(browser, TILES, place=2)
    click(browser, "#classes button")
    label = project.config.classes[0]
    until(lambda: reviewed(project).of(chosen).label == label)
    until(lambda: "wrong" in browser.find_element(By.ID, "promise").text)


def test_settings_and_classes_are_changed_in_the_browser(browser, server, project):
    browser.get(f"{server.origin}/settings")
    field = until(lambda: browser.find_elements(By.ID, "set-budget"))[0]
    field.clear()
    field.send_keys("many")
    click(browser, "#save")
    until(lambda: "budget" in browser.find_element(By.ID, "toast").text)
    field.clear()
    field.send_keys("80")
    click(browser, "#save")
    until(lambda: project.catch_up() or project.config.budget == 80)
    row = browser.find_elements(By.CSS_SELECTOR, "#classes li")[2]
    name = row.find_element(By.TAG_NAME, "input")
    name.clear()
    name.send_keys("scarlet")
    row.find_element(By.TAG_NAME, "button").click()
    until(lambda: project.catch_up() or "scarlet" in project.config.classes)
    click(browser, "#pause")
    until(lambda: project.catch_up() or project.state.paused)
    until(lambda: browser.find_element(By.ID, "resume").is_enabled())
    click(browser, "#resume")
    until(lambda: project.catch_up() or not project.state.paused)
    by = {event.data["annotator"] for event in project.logbook.events() if event.kind in ("configured", "paused")}
    assert by == {"human"}


@pytest.mark.parametrize("page", ["review", "settings"])
def test_pages_fit_every_window_and_can_be_read_by_everyone(browser, server, page):
    browser.get(f"{server.origin}/{page}")
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#fixed tr, #grid li, #notice:not([hidden])"))
    for width, dark in ((360, True), (1600, False)):
        show_as(browser, width, 800, dark=dark)
        time.sleep(0.3)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert faults(browser) == []
    refused = "the server responded with a status of 400"
    assert [line for line in complaints(browser) if refused not in line] == []
    assert {address for address in addresses(browser) if not address.startswith(server.origin)} == set()


def test_a_project_is_made_in_the_browser_and_opened(pictures, tmp_path):
    server = Server(tmp_path / "new", tmp_path / "state", "--no-learner", "--root", str(pictures))
    browser = start_chromium()
    try:
        browser.get(server.link)
        until(lambda: browser.current_url.endswith("/start"))
        assert len(until(lambda: browser.find_elements(By.CSS_SELECTOR, "#folders button"))) == 1
        click(browser, "#folders button")
        until(
            lambda: (
                "80 images" in browser.find_element(By.ID, "found").text
                and "2 classes" in browser.find_element(By.ID, "found").text
            )
        )
        assert browser.find_element(By.ID, "budget").get_property("value") == "40"
        for width, dark in ((360, True), (1600, False)):
            show_as(browser, width, 800, dark=dark)
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            assert faults(browser) == []
        budget = browser.find_element(By.ID, "budget")
        budget.clear()
        budget.send_keys("0")
        click(browser, "#make")
        until(lambda: "budget" in browser.find_element(By.ID, "line").text)
        budget.clear()
        budget.send_keys("30")
        tolerance = browser.find_element(By.ID, "tolerance")
        tolerance.clear()
        tolerance.send_keys("30")
        click(browser, "#make")
        until(lambda: "/annotate" in browser.current_url)
        project = Project.open(tmp_path / "new")
        assert (project.config.budget, project.config.classes) == (30, ("crow", "owl"))
        project.close()
    finally:
        browser.quit()
        server.stop()
