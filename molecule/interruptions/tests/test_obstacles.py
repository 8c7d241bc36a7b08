"""Without disk or registry a deployment says so once; the old release serves, the next run completes."""

from __future__ import annotations

from pathlib import Path

import pytest
from interruptions_support import (
    UPGRADE,
    Course,
    Deployment,
    differences,
    serving,
    state,
    works_from,
)
from releases_support import HOST, ROOT, Applications, current, on_host, play

testinfra_hosts = [HOST]
pytestmark = pytest.mark.full
CACHE = "/var/cache/mission-control/uv"
# What is written below the application's root goes into a file system of its own, whose size can be set.
OWN_FILE_SYSTEM = f"""
mkdir /disk && mount -t tmpfs -o size=8g disk /disk && mkdir /disk/upper /disk/work
chown mission-control: /disk/upper
mount -t overlay -o lowerdir={ROOT},upperdir=/disk/upper,workdir=/disk/work disk {ROOT}
"""
LEAVE = "used=$(df --output=used -B1 /disk | tail -1); mount -o remount,size=$((used + {0})) /disk"


def goes_on(host: str, course: Course) -> None:
    """Nobody noticed."""
    assert current() == host and set(works_from().values()) == {host}
    assert serving()["boards"] == int(course.state["rows"][0])


def completes(course: Course, source: Path) -> None:
    """Once the obstacle is gone, the same command ends as if there had been none."""
    done = play("deploy.yml", source=source)
    assert done.returncode == 0, done.output
    differing = differences(course.state, state())
    assert not differing, differing


@pytest.mark.parametrize(
    ("step", "left"),
    [("build", 24_000_000), ("upload", 65_536)],
)
def test_disk_full(step: str, left: int, course: Course, host: str, applications: Applications) -> None:
    source = applications.get(UPGRADE)
    on_host(f"set -e; {OWN_FILE_SYSTEM}")
    deployment = Deployment(source)
    deployment.wait_for(step)
    on_host(LEAVE.format(left))
    assert deployment.wait(600) != 0
    said = " ".join(deployment.output.split())
    assert "The disk is full" in said and "Make room there" in said, deployment.output
    goes_on(host, course)
    on_host("mount -o remount,size=8g /disk")
    completes(course, source)


def test_registry_out_of_reach(course: Course, host: str, applications: Applications) -> None:
    """Without a way out of its network, and with nothing in the cache of packages."""
    source = applications.get(UPGRADE)
    route = on_host("ip route show default")
    on_host(f"mount -t tmpfs -o mode=1777 empty {CACHE}; ip route del default")
    done = play("deploy.yml", source=source)
    assert done.returncode != 0
    assert "This host does not reach what it has to download" in done.words, done.output
    assert "mission_control_download_environment" in done.words
    assert done.counts["failed"] == 1
    goes_on(host, course)
    on_host(f"umount {CACHE}; ip route add {route}")
    completes(course, source)
