"""A headless Chromium for tests: what it asked for and what it complained of is kept."""

import json
import shutil
import time
from pathlib import Path

from selenium import webdriver
from selenium.common import exceptions
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

PATIENCE_S = 120
NOT_YET = (
    exceptions.StaleElementReferenceException,
    exceptions.NoSuchElementException,
    exceptions.ElementNotInteractableException,
    exceptions.ElementClickInterceptedException,
)
"""What a page answers while it redraws itself, which it may do at any moment."""


def why_no_chromium() -> str:
    """Why the tests in a browser cannot run here; empty when they can."""
    if not CHROMIUM.exists():
        return f"no Chromium at {CHROMIUM}: apt-get install chromium chromium-driver"
    return "" if DRIVER else "no chromedriver: apt-get install chromium-driver"


def start_chromium(
    width: int = 1280, height: int = 800, *, more: tuple[str, ...] = (), less: tuple[str, ...] = ()
) -> webdriver.Chrome:
    """A fresh browser, without any profile. more, less: flags beside, and out of, the usual ones."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    for flag in (*(flag for flag in FLAGS if flag not in less), *more, f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))


def show_as(browser, width: int, height: int, *, dark: bool) -> None:
    """Change the window and the reader's colour scheme."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def until(condition, patience_s: float = PATIENCE_S):
    """What the condition returns, as soon as that counts as true."""
    deadline = time.monotonic() + patience_s
    while not (found := _now(condition)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def click(browser, what: str, by: str = By.CSS_SELECTOR, *, place: int = 0) -> None:
    """Click on one of the elements that are found, as soon as it can be clicked on."""

    def clicked() -> bool:
        found = browser.find_elements(by, what)[place:]
        for element in found[:1]:
            element.click()
        return bool(found)

    until(clicked)


def _now(condition):
    try:
        return condition()
    except NOT_YET:
        return None


def complaints(browser) -> list[str]:
    """Errors and warnings of the console so far."""
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] != "INFO"]


def addresses(browser) -> set[str]:
    """Every address that a page asked for so far."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    sent = (message for message in messages if message["method"] == "Network.requestWillBeSent")
    return {message["params"]["request"]["url"] for message in sent}
