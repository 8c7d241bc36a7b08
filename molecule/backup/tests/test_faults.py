"""Faults in the middle: a repository that goes, a clock that was ahead."""

from __future__ import annotations

import json
import time

import pytest
from backup_support import REPOSITORY, back_up, kinds, points, tried, verdict
from releases_support import on_host, until

testinfra_hosts = ["backup"]
UNIT = "mission-control-backup.service"


def whole(name: str) -> bool:
    return next(point["complete"] for point in points() if point["name"] == name)


def ended() -> None:
    until(lambda: tried(f"systemctl is-active {UNIT}").stdout.strip() not in ("activating", "active"))


@pytest.mark.parametrize("seconds", [0.7, 1.5, 2.5])
def test_a_repository_that_goes_in_the_middle(seconds: float) -> None:
    before = {point["name"] for point in points() if point["complete"]}
    on_host(f"systemctl start --no-block {UNIT}; sleep {seconds}; mv {REPOSITORY} {REPOSITORY}.gone")
    ended()
    # What restic made anew in its place is no repository.
    on_host(f"rm -rf {REPOSITORY}; mv {REPOSITORY}.gone {REPOSITORY}")
    found = {point["name"] for point in points() if point["complete"]}
    # One run: it failed, or was done before.
    assert len(found - before) == (0 if "backup_failed" in kinds(verdict()) else 1)
    on_host("systemctl reset-failed || true")
    back_up()
    assert all(point["complete"] for point in points())
    assert tried("mission-control backup --drill").returncode == 0 and kinds(verdict()) == set()


def test_a_clock_that_was_ahead() -> None:
    # As the program sees it: the hosts share the machine's clock.
    program = (
        "import sys, time; real = time.time; time.time = lambda: real() + 2 * 86400; "
        "sys.path.insert(0, '/usr/local/lib'); sys.argv = ['mission-control', 'backup']; "
        "import runpy; runpy.run_path('/usr/local/bin/mission-control', run_name='__main__')"
    )
    on_host(f"python3 -I -c {json.dumps(program)}")
    ahead = points()[0]["name"]
    assert ahead > time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 86400))
    back_up()
    name = points()[1]["name"]
    assert points()[0]["name"] == ahead and whole(ahead) and whole(name)
    assert kinds(verdict()) == {"backup_clock"}
    # The newest is the one whose time has come.
    told = tried("mission-control backup --drill")
    assert told.returncode == 0 and name in told.stdout
    on_host(
        f"RESTIC_REPOSITORY={REPOSITORY} RESTIC_PASSWORD_FILE=/var/lib/mission-control/backup/password "
        f"restic forget --tag point:{ahead} --unsafe-allow-remove-all"
    )
    back_up()
    assert kinds(verdict()) == set()
