"""The annotate page as tests see it: what it shows, and keys pressed on it."""

from selenium.webdriver.common.by import By

KEYS = {"blue": "1", "green": "2", "red": "3"}
LOST = (
    "ERR_CONNECTION",
    "ERR_SOCKET_NOT_CONNECTED",
    "ERR_INCOMPLETE_CHUNKED",
    "ERR_EMPTY_RESPONSE",
    "ERR_INTERNET_DISCONNECTED",
    "401",
)
"""What a browser says of a line that drops, or of somebody who is signed out."""


def shown(browser):
    return browser.execute_script("return document.getElementById('image')?.dataset.sample ?? null")


def tiles(browser):
    """(sample id, what is said of it) of each image of the grid."""
    script = "return [...document.querySelectorAll('#grid .tile')].map(e => [e.dataset.sample, e.ariaLabel])"
    return browser.execute_script(script)


def press(browser, *keys):
    for key in keys:
        browser.switch_to.active_element.send_keys(key)


def text(browser, name):
    return browser.find_element(By.ID, name).text


def kept_here(browser):
    """Answers that the server has not acknowledged."""
    return browser.execute_script("return Object.keys(localStorage).filter(k => /out.[0-9]/.test(k)).length")
