"""On the host: users of the application, whose answers are timed while a backup runs and while none does."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

UNIT = "mission-control-backup.service"
SETTINGS = Path("/home/mission-control/mission-control/current/backend/.env")
# So many at once, and seconds between the answer and the next question of each.
USERS, PAUSE = 4, 0.02
QUIET = 15.0


def _ask(headers: dict[str, str], over: threading.Event, times: list[float]) -> None:
    """One user, who looks at the boards: what it takes goes through the database."""
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=60)
    while not over.wait(PAUSE):
        began = time.monotonic()
        connection.request("GET", "/api/v1/boards", headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"/api/v1/boards answers {answer.status}")
        times.append(time.monotonic() - began)


def _times(wait: Callable[[], None]) -> list[float]:
    """What the answers take until the wait is over."""
    lines = dict(line.partition("=")[::2] for line in SETTINGS.read_text().splitlines())
    headers = {"Authorization": f"Bearer {lines['LOCAL_AUTH_TOKEN'].strip(chr(34))}"}
    over, times = threading.Event(), list[float]()
    users = [threading.Thread(target=_ask, args=(headers, over, times)) for _number in range(USERS)]
    for user in users:
        user.start()
    wait()
    over.set()
    for user in users:
        user.join()
    return times


def _back_up() -> None:
    """As the timer does it."""
    subprocess.run(["systemctl", "start", UNIT], check=True)


def answers(rounds: int) -> list[dict[str, object]]:
    """The medians, one after the other, so that both meet the same machine."""
    found: list[dict[str, object]] = []
    for _round in range(rounds):
        for name, wait in (
            ("an answer during a backup", _back_up),
            ("an answer during a backup, bare", lambda: time.sleep(QUIET)),
        ):
            times = _times(wait)
            found.append({"name": name, "seconds": statistics.median(times), "answers": len(times)})
    return found
