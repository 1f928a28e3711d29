"""A real browser labels to the end of a small budget, while a learner works and the server is killed under way."""

import time

import pytest
from accessibility import faults
from chromium import addresses, complaints, show_as, why_no_chromium
from collections_made import write_npy
from selenium.webdriver.common.by import By
from serving import Server

from budgetal.project import Project
from budgetal.simulate import true_labels

pytestmark = pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())

SETTINGS = {"budget": 36, "audit": 16, "initial": 8, "batch": 6, "tolerance": 0.3, "risk": 0.3}
KEYS = {"blue": "1", "green": "2", "red": "3"}
PATIENCE_S = 120

LOST = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_CONTENT_LENGTH_MISMATCH",
    "ERR_EMPTY_RESPONSE",
    "ERR_INCOMPLETE_CHUNKED",
)
CUT_OFF_ONCE = """
const whole = window.fetch;
window.cutOff = [];
window.fetch = async (path, options) => {
  const reply = await whole(path, options);
  if (window.cutOff.includes(options.method)) return reply;
  window.cutOff.push(options.method);
  const body = new ReadableStream({ start: (control) => control.error(new TypeError("cut off")) });
  return new Response(body, { status: reply.status, headers: reply.headers });
};
"""
"""The server does what the next request of each method asks, and its reply never comes to its end."""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    images = write_npy(tmp_path_factory.mktemp("images"), 120)
    return Project.create(tmp_path_factory.mktemp("run") / "easy colours", images=str(images), **SETTINGS)


@pytest.fixture(scope="module")
def server(project, tmp_path_factory):
    server = Server(project.folder, tmp_path_factory.mktemp("state"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(chromium):
    return chromium


def shown(browser, unlike=None):
    """The sample id of the image on the page, once there is one other than `unlike`."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = browser.execute_script("return document.getElementById('image')?.dataset.sample ?? null")
        if found not in (None, unlike):
            return found
        if "All done" in browser.find_element(By.TAG_NAME, "body").text:
            return None
        time.sleep(0.03)
    raise AssertionError(f"no image within {PATIENCE_S} s: {browser.find_element(By.TAG_NAME, 'body').text}")


def press(browser, key):
    browser.find_element(By.TAG_NAME, "body").send_keys(key)


def until(condition, project):
    deadline = time.monotonic() + PATIENCE_S
    while not condition(project.state):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        project.catch_up()


def test_labelling_by_keyboard_to_the_end_of_the_budget(browser, server, project):
    truth = true_labels(project)
    current, n = shown(browser), 0
    while current is not None:
        press(browser, KEYS[truth[current]])
        n += 1
        if n == 5:
            current = take_back_and_answer_again(browser, current, truth)
        elif n == 12:
            server.kill()
            current = shown(browser, unlike=current)
            press(browser, KEYS[truth[current]])
            server.start()
            current = shown(browser, unlike=current)
        elif n == 16:
            browser.execute_script(CUT_OFF_ONCE)
            current = shown(browser, unlike=current)
        elif n == 20:
            assert "POST" in browser.execute_script("return window.cutOff")
            browser.refresh()
            until(lambda state: len(state.labels) >= 20, project)
            current = shown(browser, unlike=current)
        else:
            current = shown(browser, unlike=current)
    until(lambda state: state.finished, project)
    assert project.state.n_paid == 36
    assert {i: label.label for i, label in project.state.labels.items()} == {i: truth[i] for i in project.state.labels}
    assert [line for line in complaints(browser) if not any(word in line for word in LOST)] == []
    assert {address for address in addresses(browser) if not address.startswith(server.origin)} == set()


def take_back_and_answer_again(browser, labelled, truth):
    """Undo brings the image back; the right label is given once more."""
    following = shown(browser, unlike=labelled)
    press(browser, "\ue012")
    assert shown(browser, unlike=following) == labelled
    press(browser, KEYS[truth[labelled]])
    return shown(browser, unlike=labelled)


def test_the_live_page_shows_what_came_of_it(browser, server, project):
    browser.get(f"{server.origin}/live")
    deadline = time.monotonic() + PATIENCE_S
    while not (charts := browser.find_elements(By.CSS_SELECTOR, "#charts figure svg")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(charts) >= 5
    assert "36" in browser.find_element(By.ID, "tiles").text
    assert browser.find_element(By.ID, "line").text == ""
    assert complaints(browser) == []


@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("page", ["annotate", "live"])
def test_no_page_is_wider_than_the_window(browser, server, page, width):
    browser.get(f"{server.origin}/{page}")
    show_as(browser, width, 740, dark=False)
    time.sleep(0.3)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
@pytest.mark.parametrize("page", ["annotate", "live"])
def test_no_page_has_a_grave_fault_for_those_who_cannot_see_it_well(browser, server, page, width, dark):
    browser.get(f"{server.origin}/{page}")
    show_as(browser, width, 740, dark=dark)
    time.sleep(0.6)
    assert faults(browser) == []


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(browser, server):
    browser.get(f"{server.origin}/annotate")
    names = browser.execute_script(
        "return [...document.querySelectorAll('button, input, a')].map(e => "
        "(e.textContent + (e.getAttribute('aria-label') ?? '') + (e.labels?.[0]?.textContent ?? '')).trim())"
    )
    assert names
    assert all(names)
    assert browser.execute_script("return document.querySelectorAll('[tabindex=\"-1\"]').length") == 0
