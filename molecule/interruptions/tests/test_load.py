"""Upgrade, restart and rollback under load refuse no request; a stream ends when its time is up."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time

import pytest
from interruptions_support import GRACE, UPGRADE, Course, token
from load import Load, Target
from releases_support import HOST, USER, Applications, current, on_host, play, variables

testinfra_hosts = [HOST]
pytestmark = pytest.mark.full
REQUESTS = 5000


class Reader(threading.Thread):
    """Follows the agents' stream of events until its end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.connected = threading.Event()
        self.ended = 0.0
        self.end = ""

    def run(self) -> None:
        connection = http.client.HTTPConnection(variables()["ansible_host"], 8000, timeout=120)
        authorized = {"Authorization": f"Bearer {token()}"}
        with contextlib.closing(connection):
            connection.request("GET", "/api/v1/agents/stream", headers=authorized)
            with connection.getresponse() as answer:
                assert answer.status == 200 and answer.readline() == b": connected\n"
                self.connected.set()
                try:
                    while answer.readline():
                        pass
                    self.end = "closed"
                except (OSError, http.client.HTTPException) as error:
                    self.end = type(error).__name__
                self.ended = time.monotonic()


def test_a_stream_is_ended_by_the_grace_time(upgraded: str) -> None:
    reader = Reader()
    reader.start()
    assert reader.connected.wait(30)
    unit = "mission-control-backend"
    show = f"systemctl --user -M {USER}@ show"
    since = on_host("date +%s.%N")
    began = time.monotonic()
    # Only the stop, so that the unit's state is that of its end and not of the next start.
    on_host(f"systemctl --user -M {USER}@ stop {unit}.socket {unit}.service")
    stopped = time.monotonic()
    ended = dict(
        line.split("=")
        for line in on_host(f"{show} -p Result -p ExecMainStatus -p ExecMainCode {unit}").splitlines()
    )
    on_host(f"systemctl --user -M {USER}@ start {unit}.socket {unit}.service; journalctl --sync")
    reader.join(30)
    match = f"_SYSTEMD_USER_UNIT={unit}.service + USER_UNIT={unit}.service"
    journal = on_host(f"journalctl --no-pager --output cat --since @{since} {match}")
    waited, left = reader.ended - began, stopped - began
    print(f"\n  the stream ended after {waited:.1f} s ({reader.end}), the unit after {left:.1f} s: {ended}")
    # It was left its time, then ended by the server, which then ended by itself.
    assert GRACE <= waited <= left + 1
    assert ended["Result"] == "success"
    assert "timeout graceful shutdown exceeded" in journal
    assert "Killing process" not in journal and "timed out" not in journal.lower(), journal


def test_nothing_is_refused(course: Course, host: str, applications: Applications) -> None:
    authorized = {"Authorization": f"Bearer {token()}"}
    targets = [
        Target(8000, "/healthz"),
        Target(8000, "/api/v1/boards", authorized),
        Target(3000, "/"),
        Target(8000, "/api/v1/agents", authorized),
        Target(3000, "/icon.svg"),
    ]
    new = course.state["links"]["current"].rpartition("/")[2]
    steps = {
        "upgrade": (["deploy.yml"], new),
        "restart": (["restart.yml"], new),
        "rollback": (["rollback.yml", "-e", "schema=keep"], host),
    }
    phases = {}
    with Load(variables()["ansible_host"], targets) as load:
        for name, (arguments, release) in steps.items():
            began = time.monotonic()
            done = play(*arguments, source=applications.get(UPGRADE))
            phases[name] = (began, time.monotonic())
            assert done.returncode == 0, done.output
            assert current() == release
        load.reach(REQUESTS)
    print(f"\n  {len(load.done)} requests\n{load.told(phases)}")
    assert len(load.done) >= REQUESTS
    assert not load.problems()
