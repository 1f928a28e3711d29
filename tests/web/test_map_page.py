"""The map page in a real browser: it draws, is moved, filtered and read, by pointer and by keyboard."""

import io
import time

import numpy as np
import pytest
from accessibility import faults
from chromium import addresses, complaints, show_as, start_chromium, why_no_chromium
from collections_made import write_npy
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from budgetal.mapping.drawing import draw
from budgetal.project import Project
from budgetal.simulate import true_labels
from budgetal.types import Annotation

pytestmark = pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())

SETTINGS = {"budget": 60, "audit": 24, "initial": 12, "batch": 8, "tolerance": 0.3, "risk": 0.3}
PATIENCE_S = 180
SOFTWARE_GL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Two rounds are over, and a map is drawn."""
    images = write_npy(tmp_path_factory.mktemp("images"), 150)
    project = Project.create(tmp_path_factory.mktemp("run") / "easy colours", images=str(images), **SETTINGS)
    truth = true_labels(project)
    while len(project.state.rounds) < 2:
        project.tell([Annotation(i, truth[i]) for i in project.ask().sample_ids])
    draw(project.folder)
    return project


@pytest.fixture(scope="module")
def signed_in(server):
    browser = start_chromium(more=SOFTWARE_GL, less=("--disable-gpu",))
    browser.get(server.link)
    yield browser
    browser.quit()


@pytest.fixture
def browser(signed_in, server):
    """A fresh page with the map drawn."""
    show_as(signed_in, 1280, 800, dark=False)
    signed_in.get(f"{server.origin}/map")
    wait(signed_in, lambda: signed_in.find_element(By.ID, "map").is_displayed())
    wait(signed_in, lambda: n_coloured(signed_in) > 100)
    return signed_in


def wait(browser, condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, browser.find_element(By.TAG_NAME, "body").text
        time.sleep(0.1)


def pixels(browser):
    """What is shown of the map: (height, width, 3)."""
    png = browser.find_element(By.ID, "map").screenshot_as_png
    inside = slice(8, -8)  # Without the frame of what has the keyboard.
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)[inside, inside]


def n_coloured(browser):
    """Pixels of the map with a hue, which paper, borders and grey points have not."""
    seen = pixels(browser)
    return int((seen.max(axis=2) - seen.min(axis=2) > 60).sum())


def legend(browser):
    rows = browser.find_elements(By.CSS_SELECTOR, "#legend li")
    return {row.find_element(By.CLASS_NAME, "name").text: row for row in rows}


def choose(browser, by):
    browser.find_element(By.CSS_SELECTOR, f"input[value={by}]").find_element(By.XPATH, "..").click()
    time.sleep(0.3)


def test_points_are_drawn_in_the_colours_of_their_classes(browser):
    seen = pixels(browser).reshape(-1, 3)
    for colour in ((0x1F, 0x66, 0xA8), (0xD1, 0x70, 0x0A), (0x0B, 0x7A, 0x5E)):
        assert (np.abs(seen - colour).max(axis=1) < 12).sum() > 50
    assert complaints(browser) == []


def test_a_class_can_be_hidden_and_shown_alone(browser):
    everything = n_coloured(browser)
    legend(browser)["blue"].find_element(By.TAG_NAME, "input").click()
    wait(browser, lambda: n_coloured(browser) < 0.9 * everything)
    without = n_coloured(browser)
    legend(browser)["blue"].find_element(By.TAG_NAME, "input").click()
    wait(browser, lambda: n_coloured(browser) > 1.05 * without)


def test_colours_of_provenance_and_uncertainty_have_legends(browser, project):
    choose(browser, "provenance")
    people = legend(browser)["Labelled by people"].find_element(By.CLASS_NAME, "n").text
    assert people == str(len(project.state.labels))
    choose(browser, "uncertainty")
    assert browser.find_element(By.ID, "ramp").is_displayed()


def test_zoom_and_pan_by_keyboard_and_wheel_change_what_is_seen(browser):
    canvas = browser.find_element(By.ID, "map")
    before = pixels(browser)
    canvas.send_keys("+")
    wait(browser, lambda: (pixels(browser) != before).any())
    near = pixels(browser)
    canvas.send_keys(Keys.ARROW_LEFT)
    wait(browser, lambda: (pixels(browser) != near).any())
    canvas.send_keys("0")
    wait(browser, lambda: np.abs(pixels(browser) - before).mean() < 1)


def test_enter_tells_the_image_nearest_to_the_middle(browser, project):
    browser.find_element(By.ID, "map").send_keys(Keys.ENTER)
    wait(browser, lambda: browser.find_element(By.ID, "spot").is_displayed())
    said = browser.execute_script("return document.getElementById('said').textContent")
    assert said.split(",")[0] in {*project.config.classes, "No label"}
    source = browser.find_element(By.ID, "spot-image").get_attribute("src")
    assert source.split("/")[-1].split("?")[0] in {sample.sample_id for sample in project.samples}


def test_pointing_at_a_point_shows_its_image_and_label(browser):
    canvas = browser.find_element(By.ID, "map")
    seen = pixels(browser)
    y, x = np.argwhere(seen.max(axis=2) - seen.min(axis=2) > 60)[0]
    mouse = ActionChains(browser)
    mouse.move_to_element_with_offset(canvas, int(x - seen.shape[1] / 2), int(y - seen.shape[0] / 2)).perform()
    wait(browser, lambda: browser.find_element(By.ID, "spot").is_displayed())
    assert browser.find_element(By.ID, "spot-text").text.split("\n")[0] in ("blue", "green", "red")


DRAWN_WHILE_MOVED = """
const [n, ms, done] = arguments;
Promise.all([import("/static/map_view.js"), import("/static/map_pace.js")]).then(async ([{ MapView }, { Pace }]) => {
  const canvas = document.body.appendChild(document.createElement("canvas"));
  const view = new MapView(canvas);
  const drawn = [];
  const draw = view.gl.drawElements.bind(view.gl);
  view.gl.drawElements = (mode, count, kind, offset) => (drawn.push(count), draw(mode, count, kind, offset));
  // Of every hundred points one was labelled by people, which makes it larger.
  view.place(Float32Array.from({ length: 2 * n }, (_, k) => Math.sin(k)));
  const look = (k) => (k % 4 < 3 ? 90 : k % 400 === 3 ? 24 : 15);
  view.paint(Uint8Array.from({ length: 4 * n }, (_, k) => look(k)), Uint32Array.from({ length: n }, (_, i) => i));
  view.pace.took = (_, now) => Pace.prototype.took.call(view.pace, ms, now);
  const frame = () => new Promise(requestAnimationFrame);
  for (let i = 0; i < 12; i++) { view.pan(3, 0); await frame(); await frame(); }
  const moved = drawn.length;
  await new Promise((over) => setTimeout(over, 1000));
  done({ drawn, moved });
});
"""


@pytest.mark.parametrize(("ms", "least"), [(90, 10_200), (12, 30_000)], ids=["slow", "fast"])
def test_where_frames_take_long_fewer_points_move_and_all_are_there_at_rest(browser, ms, least):
    found = browser.execute_async_script(DRAWN_WHILE_MOVED, 30_000, ms)
    moving, resting = found["drawn"][: found["moved"]], found["drawn"][found["moved"] :]
    # All of those that people labelled, every third of the others.
    assert min(moving) == least
    assert resting == ([30_000] if least < 30_000 else [])


def test_an_answer_colours_its_point_while_the_page_is_open(browser, project):
    truth = true_labels(project)
    choose(browser, "provenance")
    before = len(project.state.labels)
    query = project.ask()
    project.tell([Annotation(query.sample_ids[0], truth[query.sample_ids[0]])])
    wait(
        browser, lambda: legend(browser)["Labelled by people"].find_element(By.CLASS_NAME, "n").text == str(before + 1)
    )


def test_nothing_is_asked_of_others_and_nothing_complains(browser, server):
    assert {address for address in addresses(browser) if not address.startswith((server.origin, "data:"))} == set()
    assert complaints(browser) == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1600])
def test_the_page_fits_and_axe_finds_no_grave_fault(browser, width, dark):
    show_as(browser, width, 900, dark=dark)
    time.sleep(0.5)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert faults(browser) == []
    assert n_coloured(browser) > 100


def test_without_webgl_the_page_says_so_and_its_table_has_the_numbers(browser, server, project):
    script = "HTMLCanvasElement.prototype.getContext = () => null"
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        browser.get(f"{server.origin}/map")
        wait(browser, lambda: "no WebGL" in browser.find_element(By.ID, "notice-text").text)
        wait(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "#table tbody tr")) == 3)
        assert not browser.find_element(By.ID, "map").is_displayed()
        cells = [row.text.split() for row in browser.find_elements(By.CSS_SELECTOR, "#table tbody tr")]
        assert sum(int(n) for _, n, _ in cells) == len(project.state.labels) - project_none(project)
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", {"identifier": added["identifier"]})


def project_none(project):
    project.catch_up()
    return sum(label.label not in project.config.classes for label in project.state.labels.values())
