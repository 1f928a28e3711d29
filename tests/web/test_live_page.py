"""The live page in a real browser: every part of it says what the journal says, while it is looked at."""

import subprocess
import sys
from collections import Counter

import pytest
from annotate_page import LOST, text
from chromium import addresses, click, complaints, start_chromium, until, why_no_chromium
from collections_made import CLASSES, write_npy
from selenium.webdriver.common.by import By

from budgetal.consensus import people_table
from budgetal.lessons import lessons_of
from budgetal.presence import Presence
from budgetal.project import Project
from budgetal.simulate import true_labels
from budgetal.types import Annotation

pytestmark = pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())

SETTINGS = {"budget": 90, "audit": 24, "initial": 12, "batch": 8, "tolerance": 0.3, "risk": 0.3}
PEOPLE = ("anna", "ben")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Four rounds are over; two people answered, one of whom is often wrong about images that the model chose."""
    images = write_npy(tmp_path_factory.mktemp("images"), 150)
    project = Project.create(tmp_path_factory.mktemp("run") / "easy colours", images=str(images), **SETTINGS)
    truth = true_labels(project)
    while len(project.state.rounds) < 4:
        query = project.ask()
        errs = project.state.queries[query.query_id].purpose == "round"
        project.tell([answer(sample_id, truth, k, errs) for k, sample_id in enumerate(query.sample_ids)])
    return project


def answer(sample_id, truth, k, errs):
    label = "red" if errs and k % 4 == 1 else truth[sample_id]
    return Annotation(sample_id, label, PEOPLE[k % 2])


@pytest.fixture
def browser(chromium, server):
    """The page, with all its parts there."""
    look(chromium, server)
    until(lambda: chromium.find_element(By.ID, "errors").is_displayed())
    return chromium


def look(browser, server):
    browser.get(f"{server.origin}/live")
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#charts figure svg"))
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#classes-table tbody tr"))
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#outlook-charts svg"))


def rows(browser, selector):
    """The cells of each row of a table, all as of one moment."""
    script = """return [...document.querySelectorAll(arguments[0] + ' tbody tr')]
        .map(row => [...row.cells].map(cell => cell.textContent))"""
    return browser.execute_script(script, selector)


def numbers(browser, heading):
    """The rows of the table below a chart; they are there while it is closed."""
    return rows(browser, f'#charts details[data-heading="{heading}"]')


def headings(browser, charts):
    return [one.text for one in browser.find_elements(By.CSS_SELECTOR, f"#{charts} figure h3")]


def behind(project):
    """Sample ids by (what people said, what the model had said)."""
    project.catch_up()
    found = lessons_of(project.state, project.learner.pool, project.workspace.arrays)
    pairs = zip(found.targets, found.guesses, strict=True)
    of = {}
    for sample_id, (target, guess) in zip(found.sample_ids, pairs, strict=True):
        of.setdefault((CLASSES[target], CLASSES[guess]), set()).add(sample_id)
    return of


def test_the_matrix_counts_what_was_taken_for_what(browser, project):
    expected = behind(project)
    assert len({label == guess for label, guess in expected}) == 2
    said = {line[0]: line[1:] for line in rows(browser, "#confusion")}
    n_of = {key: len(ids) for key, ids in expected.items()}
    assert said == {label: [str(n_of.get((label, guess), "")) for guess in CLASSES] for label in CLASSES}
    right = sum(n for (label, guess), n in n_of.items() if label == guess)
    assert f"Of {sum(n_of.values())} images" in text(browser, "errors-note")
    assert f"guessed {right} right" in text(browser, "errors-note")


def test_each_cell_of_the_matrix_opens_its_images(browser, project):
    expected = behind(project)
    for button in browser.find_elements(By.CSS_SELECTOR, "#confusion button"):
        words = button.get_attribute("title").partition(":")[0]
        button.click()
        until(lambda words=words: words in text(browser, "behind-title"))
        key = (words.split()[0], words.split()[0] if words.endswith("recognised") else words.split()[-1])
        images = until(lambda: browser.find_elements(By.CSS_SELECTOR, "#behind-images img"))
        shown = [image.get_attribute("src").split("/")[-1].partition("?")[0] for image in images]
        assert set(shown) == expected.pop(key)
        assert not set(shown) & project.state.audit.keys()
        until(lambda images=images: all(image.get_property("naturalWidth") > 0 for image in images))
    assert expected == {}


def test_whoever_only_annotates_sees_neither_errors_nor_people(server, project):
    browser = start_chromium()
    try:
        browser.get(link_for(server, project, "anna"))
        click(browser, "main button")
        until(lambda: browser.current_url.endswith("/annotate"))
        look(browser, server)
        assert [browser.find_element(By.ID, name).is_displayed() for name in ("errors", "people")] == [False, False]
        assert complaints(browser) == []
    finally:
        browser.quit()


def link_for(server, project, name):
    command = [sys.executable, "-m", "budgetal", "token", str(project.folder), "--annotator", name]
    made = subprocess.run(
        [*command, "--link", str(server.port)], env=server.environment, capture_output=True, text=True
    )
    return made.stdout.split()[-1]


def test_each_class_has_a_line_with_its_labels(browser, project):
    given = Counter(
        label.label for sample_id, label in project.state.labels.items() if sample_id not in project.state.audit
    )
    assert {row[0]: row[1] for row in rows(browser, "#classes-table")} == {name: str(n) for name, n in given.items()}
    assert (
        text(browser, "classes-round")
        == text(browser, "outlook-round")
        == f"after round {project.state.rounds[-1].round}"
    )


def test_the_budget_burns_down_and_the_forecast_goes_on_from_there(browser, project):
    project.catch_up()
    left = [str(SETTINGS["budget"] - record.n_human) for record in project.state.rounds]
    assert [row[2] for row in numbers(browser, "Budget left")] == left
    assert headings(browser, "outlook-charts") == ["Accuracy to come", "Coverage to come"]
    n_left = project.state.ledger.available + project.state.ledger.reserved
    assert f"{n_left} labels are left" in text(browser, "outlook-lines")


def test_everybody_has_a_line_and_the_page_follows_their_answers(browser, project):
    people = until(lambda: rows(browser, "#people-table"))
    given = Counter(label.annotator for label in project.state.labels.values())
    assert {row[0]: row[1] for row in people} == {name: str(n) for name, n in given.items()}
    assert all(float(row[2].replace(",", "")) > 0 for row in people)
    assert "the budget lasts about" in text(browser, "people-note")
    answer_one(project, "carla")
    until(lambda: ["carla", "1"] in [row[:2] for row in rows(browser, "#people-table")])
    known = [person["n_known"] for person in people_table(project.state)]
    assert known[-1] == 0
    assert [row[5] == "–" for row in rows(browser, "#people-table")] == [n == 0 for n in known]


def test_a_person_who_was_tested_with_a_known_image_has_a_share_of_these(browser, project, tmp_path):
    sample_id, label = next((i, one) for i, one in project.state.labels.items() if i not in project.state.audit)
    table = tmp_path / "gold.csv"
    table.write_text(f"path,label\n{sample_id},{true_labels(project)[sample_id]}\n")
    project.add_gold(table)
    tested = next(row for row in people_table(project.state) if row["annotator"] == label.annotator)
    assert tested["n_known"] == 1
    until(lambda: any(row[5].startswith(f"{tested['n_known_right']} of 1 (") for row in rows(browser, "#people-table")))


def answer_one(project, name):
    sample_id = project.ask().sample_ids[0]
    project.tell([Annotation(sample_id, true_labels(project)[sample_id], name)])


def test_whoever_is_on_a_cell_by_keyboard_stays_there_when_the_counts_change(browser, project):
    cell = browser.find_element(By.CSS_SELECTOR, "#confusion td.right button")
    words, before = cell.get_attribute("title").partition(":")[0], text(browser, "errors-note")
    browser.execute_script("arguments[0].focus()", cell)
    truth = true_labels(project)
    wrong = next(sample_id for sample_id, label in project.state.labels.items() if label.label != truth[sample_id])
    project.tell([Annotation(wrong, truth[wrong], "ben")])
    until(lambda: text(browser, "errors-note") != before)
    assert browser.switch_to.active_element.get_attribute("title").partition(":")[0] == words


def test_the_learner_tells_its_epoch_its_speed_and_the_time_left(browser, project):
    with Presence(project.logbook) as presence:
        presence.say("training", 2, 10)
        until(lambda: text(browser, "doing") == "Training, epoch 2 of 10")
        presence.say("training", 4, 10)
        until(lambda: text(browser, "doing").startswith("Training, epoch 4 of 10, about "))
        assert browser.find_element(By.ID, "work-bar").get_attribute("style") == "width: 40%;"
        assert browser.find_element(By.ID, "lamp").get_attribute("class").split() == ["lamp", "working"]
        presence.say("scoring images", 0, 50_000)
        until(lambda: text(browser, "doing").startswith("Scoring images, 0 of 50,000"))
        presence.say("scoring images", 20_000, 50_000)
        until(lambda: "images/s" in text(browser, "doing"))
        assert "20,000 of 50,000" in text(browser, "doing")
        assert "left" in text(browser, "doing")
        presence.say("waiting for labels")
        until(lambda: text(browser, "doing") == "Waiting for labels")
        assert browser.find_element(By.ID, "lamp").get_attribute("class").split() == ["lamp", "waiting"]
        assert not browser.find_element(By.ID, "work").is_displayed()
    until(lambda: text(browser, "doing").startswith("No learner is at work"))


def news(browser):
    return [line.partition("\n")[2] or line for line in text(browser, "feed").splitlines()]


def test_a_reload_begins_where_the_journal_is(browser, server, project):
    addresses(browser)
    browser.refresh()
    until(lambda: text(browser, "feed"))
    project.catch_up()
    after = {int(address.rpartition("=")[2]) for address in addresses(browser) if "/events?after=" in address}
    assert after == {max(0, project.state.seq - 400)}


def test_what_happens_while_the_server_is_away_is_told_once_it_is_back(browser, server, project):
    until(lambda: text(browser, "feed"))
    n = len(project.state.labels)
    server.kill()
    until(lambda: "cannot be reached" in text(browser, "line"))
    project.pause("olga")
    project.resume("olga")
    answer_one(project, "anna")
    server.start()
    until(lambda: text(browser, "line") == "")
    until(lambda: "goes on after the pause" in text(browser, "feed"))
    assert text(browser, "feed").count("The project was paused") == 1
    until(lambda: f"Labels by people\n{n + 1}\n" in text(browser, "tiles"))


def test_nothing_was_asked_of_others_and_nothing_complained(chromium, server):
    """Of all that was done on the page so far."""
    assert [line for line in complaints(chromium) if not any(word in line for word in LOST)] == []
    assert {address for address in addresses(chromium) if not address.startswith(server.origin)} == set()
