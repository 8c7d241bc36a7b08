"""Restore points: what belongs together, and which one is meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import points
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)

NOW = 1_800_000_000.0


def snapshot(identifier: str, name: str, part: str, time: str, *more: str) -> dict[str, Any]:
    return {
        "id": identifier * 8,
        "time": time,
        "hostname": "mc1",
        "tags": ["mission-control", "environment:e", f"point:{name}", f"part:{part}", *more],
        "summary": {"total_bytes_processed": 10},
    }


def whole(number: int, name: str, time: str, parts: tuple[str, ...] = ("database", "settings")) -> list[Any]:
    """The snapshots of a restore point that was finished."""
    sealed = ("complete", f"parts:{'+'.join(parts)}", "purpose:asked-for", "format:1")
    found = [snapshot(f"{number}{at}a", name, part, time) for at, part in enumerate(parts)]
    return [*found, snapshot(f"{number}fa", name, "manifest", time, *sealed)]


FIRST = whole(1, "20261101T020000Z", "2026-11-01T02:00:00.123456789Z")
SECOND = whole(2, "20261102T020000Z", "2026-11-02T02:00:00Z")
# The third was killed after the database.
KILLED = [snapshot("30a", "20261103T020000Z", "database", "2026-11-03T02:00:00Z")]


def test_the_parts_of_a_point_are_put_together() -> None:
    found = points.group([*FIRST, *SECOND, *KILLED, {"id": "x", "time": "2026-01-01T00:00:00Z"}])
    assert [(point.name, point.complete) for point in found] == [
        ("20261103T020000Z", False),
        ("20261102T020000Z", True),
        ("20261101T020000Z", True),
    ]
    assert found[1].told()["size"] == 30 and found[1].told()["parts"] == ["database", "settings"]
    assert found[2].moment == 1793498400.0


def test_what_a_clock_that_was_ahead_has_made_is_not_the_newest() -> None:
    found = points.group([*FIRST, *SECOND])
    between = (found[0].moment + found[1].moment) / 2
    assert points.choose(found, now=between).name == found[1].name
    # Where there is nothing else, it is.
    assert points.choose(found, now=found[1].moment - 3600).name == found[0].name


@pytest.mark.parametrize("lacking", range(3))
def test_without_one_of_its_parts_there_is_no_point(lacking: int) -> None:
    (point,) = points.group([one for at, one in enumerate(FIRST) if at != lacking])
    assert not point.complete


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "20261102T020000Z"),
        ({"snapshot": "latest"}, "20261102T020000Z"),
        ({"snapshot": "20261101T020000Z"}, "20261101T020000Z"),
        ({"snapshot": "1fa1fa"}, "20261101T020000Z"),
        ({"time": "2026-11-01T23:00:00Z"}, "20261101T020000Z"),
        ({"time": "2026-11-02T02:00:00Z"}, "20261102T020000Z"),
    ],
)
def test_the_point_that_is_meant(given: dict[str, str], name: str) -> None:
    found = points.group([*FIRST, *SECOND, *KILLED])
    assert points.choose(found, now=NOW, **given).name == name


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"snapshot": "20261103T020000Z"}, "unfinished", "what a run that failed has left"),
        ({"snapshot": "20251103T020000Z"}, "unknown_snapshot", "is not a restore point of this host"),
        ({"snapshot": "1", "time": "2h"}, "bad_choice", "both"),
        ({"time": "2026-10-01T00:00:00Z"}, "bad_time", "before the first"),
        ({"time": "2126-10-01T00:00:00Z"}, "bad_time", "has not come yet"),
        ({"time": "soon"}, "bad_time", "'soon' is not a valid time"),
    ],
)
def test_what_cannot_be_meant(given: dict[str, str], kind: str, says: str) -> None:
    found = points.group([*FIRST, *SECOND, *KILLED])
    with pytest.raises(DeploymentError, match=says) as told:
        points.choose(found, now=NOW, **given)
    assert told.value.kind == kind


def test_a_beginning_of_several_is_ambiguous() -> None:
    twice = [dict(one, id="7777" + one["id"]) for one in (*FIRST, *SECOND)]
    with pytest.raises(DeploymentError, match="several") as told:
        points.choose(points.group(twice), snapshot="7777", now=NOW)
    assert "20261101T020000Z" in told.value.remedy


def test_nothing_but_unfinished_ones() -> None:
    with pytest.raises(DeploymentError, match="1 unfinished") as told:
        points.choose(points.group(KILLED), now=NOW)
    assert told.value.kind == "no_restore_point"
