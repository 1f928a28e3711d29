"""The annotate page in a real browser: grid, guess, why, keys, find, touch, and lines that drop."""

import pytest
from accessibility import faults
from annotate_page import KEYS, LOST, kept_here, press, shown, text, tiles
from chromium import addresses, click, complaints, show_as, start_chromium, until, why_no_chromium
from collections_made import write_npy
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from serving import Server

from budgetal.annotators.oracle import Oracle
from budgetal.blindness import may_be_helped
from budgetal.project import Project
from budgetal.simulate import true_labels

pytestmark = pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())

SETTINGS = {"budget": 150, "audit": 16, "initial": 9, "batch": 40, "tolerance": 0.3, "risk": 0.3}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_npy(tmp_path_factory.mktemp("images"), 240)


@pytest.fixture(scope="module")
def project(images, tmp_path_factory):
    """A project with a model, whose open query may be helped with for the most part."""
    project = Project.create(tmp_path_factory.mktemp("run") / "colours", images=str(images), seed=2, **SETTINGS)
    oracle = Oracle(true_labels(project))
    while n_helped(project, query := project.ask()) == 0:
        project.tell(oracle.annotate(query))
    return project


def n_helped(project, query):
    has_model = project.state.probs_ref is not None
    return has_model * sum(may_be_helped(project.state, i, query.query_id) for i in query.sample_ids)


@pytest.fixture(scope="module")
def browser(chromium):
    until(lambda: shown(chromium))
    return chromium


@pytest.fixture(autouse=True)
def one_image_at_a_time(request):
    """Every test begins with one image and no guess, on a page of its own."""
    if "browser" not in request.fixturenames:
        yield
        return
    browser, server = request.getfixturevalue("browser"), request.getfixturevalue("server")
    show_as(browser, 1280, 800, dark=False)
    browser.execute_script(
        "Object.keys(localStorage).filter(k => /wishes|keys$/.test(k)).forEach(k => localStorage.removeItem(k))"
    )
    browser.get(f"{server.origin}/annotate")
    until(lambda: shown(browser))
    yield
    assert "Not recorded" not in text(browser, "toast")


def open_grid(browser, project):
    """Press for a grid; images that are asked one by one come before it and are answered."""
    press(browser, "g")
    truth = true_labels(project)
    while not until(lambda: tiles(browser) or shown(browser)) or not tiles(browser):
        current = shown(browser)
        press(browser, KEYS[truth[current]])
        until(lambda before=current: tiles(browser) or shown(browser) not in (None, before))
    return tiles(browser)


def test_a_grid_is_put_right_accepted_and_taken_back_by_keyboard(browser, project):
    grid = open_grid(browser, project)
    assert len(grid) == 9
    assert "the model's guess" in grid[0][1]
    press(browser, Keys.ARROW_RIGHT, "b", " ", Keys.ARROW_UP, "n")
    words = [said.partition(": ")[2] for _, said in tiles(browser)]
    assert words[1:3] == ["broken image", "skipped"]
    assert words[0] == "none of these"
    press(browser, Keys.ENTER)
    until(lambda: tiles(browser)[:1] != grid[:1] and kept_here(browser) == 0)
    project.catch_up()
    first = [sample_id for sample_id, _ in grid]
    assert project.state.labels[first[0]].label == "none of these"
    assert first[1] in project.state.broken
    assert first[2] in project.state.skipped
    assert all(project.state.labels[i].suggestion for i in (first[0], *first[3:]))
    press(browser, Keys.BACKSPACE)
    until(lambda: [i for i, _ in tiles(browser)] == first and kept_here(browser) == 0)
    assert [said.partition(": ")[2] for _, said in tiles(browser)] == words
    project.catch_up()
    assert not set(first) & (project.state.labels.keys() | project.state.skipped)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_grid_and_reasons_fit_the_window_and_have_no_grave_fault(browser, project, width, dark):
    open_grid(browser, project)
    show_as(browser, width, 800, dark=dark)
    press(browser, "w")
    until(lambda: "look most like it" in text(browser, "why") or "without help" in text(browser, "why"))
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert faults(browser) == []
    press(browser, Keys.ESCAPE)
    assert faults(browser) == []
    press(browser, "?")
    assert faults(browser) == []
    press(browser, Keys.ESCAPE)


def test_a_guess_is_shown_when_wanted_accepted_and_recorded(browser, project):
    assert not browser.find_element(By.ID, "guess").is_displayed()
    press(browser, "m")
    while not browser.find_element(By.ID, "guess").is_displayed():
        answer_blind(browser, project)
    current = shown(browser)
    press(browser, Keys.ENTER)
    until(lambda: shown(browser) != current and kept_here(browser) == 0)
    project.catch_up()
    label = project.state.labels[current]
    assert label.suggestion == label.label


def answer_blind(browser, project):
    """Wait for the guess; an image that has none is answered without."""
    current = shown(browser)
    project.catch_up()
    if may_be_helped(project.state, current, project.state.open_items[current]):
        until(lambda: browser.find_element(By.ID, "guess").is_displayed())
        return
    press(browser, "1")
    until(lambda: shown(browser) != current)


def test_who_looks_why_an_image_was_asked_has_seen_the_guess(browser, project):
    current = shown(browser)
    press(browser, "w")
    told = until(lambda: text(browser, "why-body") != "One moment" and text(browser, "why-body"))
    press(browser, Keys.ESCAPE, "1")
    until(lambda: kept_here(browser) == 0)
    project.catch_up()
    assert (project.state.labels[current].suggestion is not None) == ("guesses" in told)


def test_a_key_can_be_changed_unless_something_else_has_it(browser):
    def change(name, key):
        click(browser, f"#keys-list button[aria-label^='Change the key of {name}']")
        press(browser, key)

    press(browser, "?")
    change("green", "b")
    assert "“Broken image”" in text(browser, "keys-problem")
    change("green", "x")
    assert text(browser, "keys-problem") == ""
    change("red", "x")
    assert "“green”" in text(browser, "keys-problem")
    change("Skip", "v")
    click(browser, "#keys form button")
    browser.refresh()
    until(lambda: shown(browser))
    keys = [place.text for place in browser.find_elements(By.CSS_SELECTOR, "#classes kbd, #skip kbd")]
    assert keys == ["1", "X", "3", "V"] or keys == ["1", "X", "2", "V"]
    current = shown(browser)
    press(browser, "x")
    until(lambda: shown(browser) != current)
    assert "green" in text(browser, "last")


def test_answers_given_while_the_line_is_down_arrive_when_it_is_back(browser, project):
    down = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", down)
    given = []
    for _ in range(3):
        given.append(shown(browser))
        press(browser, "1")
        until(lambda: shown(browser) not in given)
    until(lambda: "3 answers are kept here" in text(browser, "line"))
    project.catch_up()
    assert not set(given) & project.state.labels.keys()
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {**down, "offline": False})
    until(lambda: kept_here(browser) == 0 and text(browser, "line") == "")
    project.catch_up()
    assert set(given) <= project.state.labels.keys()


def test_who_is_signed_out_loses_no_answer(browser, server, project):
    cookies = browser.get_cookies()
    browser.delete_all_cookies()
    current = shown(browser)
    press(browser, "1")
    until(lambda: "Signed out" in text(browser, "line") and "1 answer is kept here" in text(browser, "line"))
    for cookie in cookies:
        browser.add_cookie(cookie)
    browser.get(f"{server.origin}/annotate")
    until(lambda: kept_here(browser) == 0)
    project.catch_up()
    assert current in project.state.labels


def test_two_tabs_hold_different_images_and_send_all_answers(browser, server, project):
    first = browser.current_window_handle
    given = [shown(browser)]
    # A copy of the tab, with all that it keeps for itself.
    browser.execute_script("window.open('/annotate')")
    browser.switch_to.window(next(handle for handle in browser.window_handles if handle != first))
    given.append(until(lambda: shown(browser)))
    assert given[0] != given[1]
    press(browser, "1")
    until(lambda: shown(browser) != given[1])
    browser.close()
    browser.switch_to.window(first)
    press(browser, "1")
    until(lambda: kept_here(browser) == 0 and shown(browser) != given[0])
    project.catch_up()
    assert len(set(given) & project.state.labels.keys()) == 2


def test_a_swipe_skips_and_takes_back(browser, project):
    def swipe(x_from, x_to):
        finger = lambda x: [{"x": x, "y": 300}]  # noqa: E731
        for kind, points in (("touchStart", finger(x_from)), ("touchMove", finger(x_to)), ("touchEnd", [])):
            browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    current = shown(browser)
    swipe(400, 200)
    until(lambda: shown(browser) != current)
    swipe(200, 400)
    until(lambda: shown(browser) == current and kept_here(browser) == 0)
    project.catch_up()
    assert current in project.state.open_items


def test_a_page_that_is_open_says_that_the_project_is_paused_and_goes_on_after_it(browser, project):
    project.pause("owner")
    until(lambda: "paused" in text(browser, "line"))
    while current := shown(browser):
        press(browser, "1")
        until(lambda before=current: shown(browser) != before)
    until(lambda: text(browser, "notice-title") == "Paused")
    project.resume("owner")
    until(lambda: shown(browser) and "paused" not in text(browser, "line"))


def test_a_page_that_is_open_has_the_classes_that_there_are_now(browser, project):
    current = shown(browser)
    project.change_classes("add", "violet")
    until(lambda: "violet" in text(browser, "classes"))
    project.change_classes("rename", "red", "crimson")
    until(lambda: "gone: red" in text(browser, "toast"))
    assert shown(browser) == current
    assert [key.text for key in browser.find_elements(By.CSS_SELECTOR, "#classes kbd")] == ["1", "2", "3", "4"]
    press(browser, "3")
    until(lambda: shown(browser) != current and kept_here(browser) == 0)
    project.catch_up()
    assert project.state.labels[current].label == "crimson"


def test_the_live_page_says_in_words_what_happened(browser, server):
    browser.get(f"{server.origin}/live")
    until(lambda: "The class list was changed" in text(browser, "feed"))
    told = text(browser, "feed")
    assert "The project was paused" in told
    assert "1 label came in" in told
    browser.get(f"{server.origin}/annotate")


def test_nothing_was_complained_of_and_nothing_asked_for_outside(browser, server):
    assert [line for line in complaints(browser) if not any(word in line for word in LOST)] == []
    assert {address for address in addresses(browser) if not address.startswith((server.origin, "data:"))} == set()


def test_one_of_two_hundred_classes_is_found_by_typing(images, tmp_path):
    classes = tuple(f"kind {i:03} of {'bird' if i % 2 else 'boat'}" for i in range(200))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "images.npy").write_bytes((images / "images.npy").read_bytes())
    settings = {"budget": 40, "audit": 16, "initial": 8, "batch": 6}
    project = Project.create(tmp_path / "many", images=str(tmp_path / "images"), classes=classes, **settings)
    project.ask()
    server = Server(project.folder, tmp_path / "state", "--no-learner")
    browser = start_chromium()
    try:
        browser.get(server.link)
        current = until(lambda: shown(browser))
        press(browser, "/", *"073 of")
        press(browser, Keys.ENTER)
        until(lambda: shown(browser) != current and kept_here(browser) == 0)
        project.catch_up()
        assert project.state.labels[current].label == classes[73]
    finally:
        browser.quit()
        server.stop()
