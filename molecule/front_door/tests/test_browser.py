"""A browser through the door: it believes the certificate, logs in, and is told what changes at once."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from front_door_support import authority, ssh, token, until, url
from selenium import webdriver
from selenium.webdriver.common.by import By

PACKAGES = ("chromium", "chromium-driver", "libnss3-tools")
# So often, in seconds, the application looks for what has changed.
POLL = 2.0
DATABASE = "runuser -u postgres -- psql -qAt mission_control -c"

RENAME = """\
update agents set name = name || ' (renamed)', updated_at = now() at time zone 'utc'
where id = (select id from agents where board_id is not null order by created_at desc limit 1) returning name
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium with a home of its own, in which it is told of the authority as docs/front-door.md says."""
    subprocess.run(["apt-get", "-qy", "install", *PACKAGES], check=True, capture_output=True)
    home = tmp_path_factory.mktemp("home")
    store = home / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for words in (("-N", "--empty-password"), ("-A", "-n", "door", "-t", "C,,", "-i", authority())):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, capture_output=True)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1100,1400"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService("/usr/bin/chromedriver", env={**os.environ, "HOME": str(home)})
    driver = webdriver.Chrome(options, service)
    driver.set_page_load_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


def sent(driver: webdriver.Chrome) -> list[dict[str, Any]]:
    """The requests of the page since it was asked last."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [
        message["params"]["request"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def test_a_user_logs_in_and_sees_what_changes(browser: webdriver.Chrome) -> None:
    browser.get(url())
    until(lambda: browser.find_element(By.CSS_SELECTOR, "[role=status]").text == "answers", 60)
    browser.find_element(By.ID, "token").send_keys(token())
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    until(lambda: browser.find_elements(By.CSS_SELECTOR, "#boards li"), 60)
    rows = browser.find_elements(By.CSS_SELECTOR, "#agents tr")
    assert len(rows) > 1
    if pictures := os.environ.get("FRONT_DOOR_PICTURES"):
        browser.save_screenshot(str(Path(pictures) / "front-door.png"))

    # Somebody renames an agent of a board meanwhile: the page tells, without being asked.
    named = ssh(f"{DATABASE} {shlex.quote(RENAME)}")
    changed = time.monotonic()
    until(lambda: named in browser.find_element(By.ID, "agents").text, 10)
    assert time.monotonic() - changed < POLL + 1, "a server-sent event waits on its way"

    asked = sent(browser)
    assert len(asked) > 5
    # One origin: nothing is mixed, and the browser has nobody to ask whether it may.
    assert [
        request["url"] for request in asked if not request["url"].startswith((f"{url()}/", "data:"))
    ] == []
    assert [request["url"] for request in asked if request["method"] == "OPTIONS"] == []
    assert any("/api/v1/agents/stream" in request["url"] for request in asked)
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
