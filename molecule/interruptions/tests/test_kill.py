"""Killed anywhere, a deployment leaves an application that answers, and the next run completes it.

The points come from a seed (INTERRUPTIONS_SEED): twenty in `make test-full`, one of them in `make test`.
"""

from __future__ import annotations

import pytest
from interruptions_support import (
    FULL,
    UPGRADE,
    Course,
    Deployment,
    Point,
    differences,
    interrupt,
    points,
    serving,
    serving_within,
    settled,
    state,
)
from releases_support import HEAD, HOST, NEWER, NEWER_TITLE, Applications, current, play, schema

testinfra_hosts = [HOST]


def test_undisturbed(old: str, course: Course) -> None:
    """What the others are compared with."""
    new = current()
    assert new != old and course.state["schema"] == NEWER and int(course.state["rows"][0]) > 0
    assert course.state["releases"][new]["told"]["outcome"] == "verified"
    assert NEWER_TITLE in serving()["html"]


@pytest.mark.parametrize("point", points(full=FULL), ids=str)
def test_killed(point: Point, course: Course, host: str, applications: Applications) -> None:
    new = course.state["links"]["current"].rpartition("/")[2]
    source = applications.get(UPGRADE)
    deployment = Deployment(source)
    deployment.reach(point.step, point.part * course.seconds(point.step))
    where = deployment.last_task
    interrupt(deployment, point.way)

    # Users: an answer to the first request, or once a host has booted.
    seen = serving_within(90) if point.way in ("reboot", "power") else serving()
    assert seen["boards"] == int(course.state["rows"][0])
    # Nothing that is half made: what is current and what runs are the old release or the new one, complete.
    runs, then = settled()
    now = current()
    assert {now, *runs.values()} <= {host, new}
    assert (NEWER_TITLE in then["html"]) == (runs["frontend"] == new)
    assert schema() in (HEAD, NEWER)
    age = {host: "old", new: "new"}
    first = "new" if NEWER_TITLE in seen["html"] else "old"
    told = ", ".join(f"{name} {age[release]}" for name, release in {"current": now, **runs}.items())
    print(f"\n  {where}; first page {first}; then {told}; schema {schema()}")

    # Operators: nothing to clean, run it again.
    done = play("deploy.yml", source=source)
    assert done.returncode == 0, done.output
    differing = differences(course.state, state())
    assert not differing, differing
    # And that is all.
    done = play("deploy.yml", source=source)
    assert done.returncode == 0 and done.counts["changed"] == 0, done.output
