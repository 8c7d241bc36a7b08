"""A controller that vanishes without a word: no packet of its connections arrives, not even their end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest
from interruptions_support import UPGRADE, Course, Deployment, differences, state
from releases_support import HOST, Applications, history, start, variables

testinfra_hosts = [HOST]
pytestmark = pytest.mark.full
# Sixty seconds of silence, and what it takes to notice the last word and the end.
WITHIN = 90


def connections() -> dict[int, int]:
    """The SSH connections to the host: the process of each, by its port on this side."""
    told = subprocess.run(
        ["ss", "-tnpH", "dst", variables()["ansible_host"], "dport", "=", ":22"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.findall(r":(\d+)\s+\S+:22\s+.*?pid=(\d+)", told)
    return {int(port): int(pid) for port, pid in found}


@pytest.fixture
def cut() -> Iterator[set[int]]:
    """Ports from which nothing gets through to the host or back."""
    ports: set[int] = set()
    yield ports
    for port in ports:
        for rule in rules(port):
            subprocess.run(["iptables", "-w", "-D", *rule], check=True)


def rules(port: int) -> list[list[str]]:
    host = variables()["ansible_host"]
    return [
        ["OUTPUT", "-d", host, "-p", "tcp", "--sport", str(port), "-j", "DROP"],
        ["INPUT", "-s", host, "-p", "tcp", "--dport", str(port), "-j", "DROP"],
    ]


def test_the_lock_ends_soon_after_its_holder_vanished(
    course: Course, host: str, applications: Applications, cut: set[int]
) -> None:
    source = applications.get(UPGRADE)
    deployment = Deployment(source)
    deployment.wait_for("build")
    theirs = connections()
    assert theirs
    for port in theirs:
        for rule in rules(port):
            subprocess.run(["iptables", "-w", "-I", *rule], check=True)
        cut.add(port)
    vanished = time.monotonic()
    deployment.kill()
    for pid in theirs.values():
        os.kill(pid, signal.SIGKILL)

    with start("deploy.yml", source=source) as second:
        assert second.stdout is not None
        said = next(line for line in second.stdout if "Waiting for another deployment on " in line)
        assert "deploy by " in said and "while release " + host in said, said
        next(line for line in second.stdout if line.startswith("TASK ["))
        waited = time.monotonic() - vanished
        rest = second.stdout.read()
    print(f"\n  the next deployment went on {waited:.0f} s after the controller had vanished")
    assert second.returncode == 0, rest
    assert waited < WITHIN
    assert [line["result"] for line in history()[-2:]] == ["interrupted", "deployed"]
    differing = differences(course.state, state())
    assert not differing, differing
