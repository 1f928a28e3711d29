"""Accounts in a real browser: invited, signed out while labels are on their way, signed in again; nothing is lost."""

import threading
import time

import pytest
import uvicorn
from accessibility import faults
from argon2 import PasswordHasher
from chromium import click, complaints, start_chromium, until, why_no_chromium
from selenium.webdriver.common.by import By

from budgetal.desk import Desk
from budgetal.web import make_app, passwords
from budgetal.web.roles import Role
from budgetal.web.server import _listen

pytestmark = pytest.mark.skipif(bool(why_no_chromium()), reason=why_no_chromium())

PASSWORD, OTHER = "four plain words here", "entirely other words"
PATIENCE_S = 60


@pytest.fixture
def members(sessions, monkeypatch):
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return sessions.members


@pytest.fixture
def desk(project):
    return Desk(project)


@pytest.fixture
def origin(desk, sessions):
    listening = _listen("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = make_app(desk, sessions, [origin])
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    app.state.site.watcher.is_closing = lambda: server.should_exit
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield origin
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def chrome():
    browser = start_chromium()
    yield browser
    browser.quit()


def wait(browser, condition):
    return until(lambda: condition(browser))


def text_of(browser, name):
    return browser.find_element(By.ID, name).text


def fill(browser, **fields):
    for name, value in fields.items():
        browser.find_element(By.NAME, name).send_keys(value)
    click(browser, "main button")


def label_one(browser):
    image = wait(browser, lambda b: b.find_element(By.CSS_SELECTOR, "#image[data-sample]"))
    sample_id = image.get_attribute("data-sample")
    click(browser, "#classes button")
    wait(browser, lambda b: sample_id not in b.find_element(By.ID, "image").get_attribute("outerHTML"))
    return sample_id


def answers(desk):
    return desk.look(lambda state: {sample_id: label.annotator for sample_id, label in state.labels.items()})


def wait_for_answers(desk, expected):
    deadline = time.monotonic() + PATIENCE_S
    while answers(desk) != expected:
        assert time.monotonic() < deadline, answers(desk)
        time.sleep(0.1)


def test_a_session_that_ends_loses_no_label_and_gives_none_to_somebody_else(chrome, origin, members, desk):
    members.join(members.invite(Role.ANNOTATOR, "ben", "o"), "", PASSWORD)
    chrome.get(f"{origin}/join?code={members.invite(Role.ANNOTATOR, '', 'o')}")
    fill(chrome, name="anna", password=PASSWORD)
    first = label_one(chrome)
    wait_for_answers(desk, {first: "anna"})
    # Somebody else gave her a new password: her cookie is worth nothing from here on.
    members.join(members.invite(Role.ANNOTATOR, "anna", "o"), "", OTHER)
    second = label_one(chrome)
    wait(chrome, lambda b: "Signed out. Sign in again; 1 answer is kept here" in text_of(b, "line"))
    # In another tab somebody else signs in; this one is still anna's.
    anna = chrome.current_window_handle
    chrome.switch_to.new_window("tab")
    chrome.get(f"{origin}/login")
    fill(chrome, name="ben", password=PASSWORD)
    by_ben = label_one(chrome)
    wait_for_answers(desk, {first: "anna", by_ben: "ben"})
    wait(chrome, lambda b: "Answers of anna are kept here until they sign in again" in text_of(b, "line"))
    assert answers(desk) == {first: "anna", by_ben: "ben"}
    click(chrome, ".who button")
    wait(chrome, lambda b: b.current_url.endswith("/login"))
    fill(chrome, name="anna", password=OTHER)
    wait_for_answers(desk, {first: "anna", second: "anna", by_ben: "ben"})
    chrome.switch_to.window(anna)
    wait(chrome, lambda b: text_of(b, "line") == "")
    assert not [line for line in complaints(chrome) if "Uncaught" in line or "Content Security" in line]


def test_an_owner_invites_changes_and_revokes_with_the_mouse(chrome, origin, members):
    members.join(members.invite(Role.OWNER, "olga", "o"), "", PASSWORD)
    members.join(members.invite(Role.ANNOTATOR, "anna", "o"), "", PASSWORD)
    chrome.get(f"{origin}/people")
    assert faults(chrome) == []
    fill(chrome, name="olga", password=PASSWORD)
    wait(chrome, lambda b: b.current_url.endswith("/annotate"))
    click(chrome, "People", By.LINK_TEXT)
    fill(chrome, name="ben")
    link = wait(chrome, lambda b: b.find_element(By.ID, "made-link").get_attribute("value"))
    assert members.invited(link.partition("code=")[2]).name == "ben"
    assert faults(chrome) == []
    click(chrome, "[aria-label='Role of anna'] [value=reviewer]")
    wait(chrome, lambda _: members.account("anna").role is Role.REVIEWER)
    click(chrome, "[aria-label='Withdraw the invite for ben']")
    wait(chrome, lambda _: not members.open_invites())
    click(chrome, "[aria-label='Revoke anna']")
    click(chrome, "#sure [value=yes]")
    wait(chrome, lambda _: members.account("anna").is_revoked)
    wait(chrome, lambda b: "revoked" in text_of(b, "people"))
    click(chrome, "[aria-label='Revoke olga']")
    click(chrome, "#sure [value=yes]")
    wait(chrome, lambda b: "last owner" in text_of(b, "line"))
