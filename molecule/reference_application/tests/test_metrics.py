"""The dashboard's figures, counted a second time: in Python, over the rows, by another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from typing import Any
from uuid import UUID, uuid4

import pytest
from conftest import NewApplication
from support import Application, Backend

RANGES = {
    "24h": (1, "hour"),
    "3d": (3, "day"),
    "7d": (7, "day"),
    "14d": (14, "day"),
    "1m": (30, "day"),
    "3m": (90, "week"),
    "6m": (180, "week"),
    "1y": (365, "month"),
}
STATUSES = ("inbox", "in_progress", "review", "done")
SELECTIONS = ("everything", "board demo", "board research", "group delivery", "group operations", "both")
Rows = list[dict[str, Any]]


def start_of(moment: datetime, bucket: str) -> datetime:
    if bucket == "hour":
        return datetime(moment.year, moment.month, moment.day, moment.hour)
    if bucket == "week":
        return datetime.fromisocalendar(*moment.isocalendar()[:2], 1)
    return datetime(moment.year, moment.month, 1 if bucket == "month" else moment.day)


def periods(start: datetime, end: datetime, bucket: str) -> list[str]:
    """By walking through the time hour by hour."""
    found = {start_of(end, bucket)}
    moment = start
    while moment <= end:
        found.add(start_of(moment, bucket))
        moment += timedelta(hours=1)
    return [period.isoformat() for period in sorted(found)]


class Count:
    """The tables' rows of some boards, and what the product makes of them."""

    def __init__(self, application: Application, boards: set[UUID]) -> None:
        self.tasks = [row for row in application.rows("SELECT * FROM tasks") if row["board_id"] in boards]
        known = {row["id"] for row in self.tasks}
        self.events = [
            row for row in application.rows("SELECT * FROM activity_events") if row["task_id"] in known
        ]
        self.agents = [row for row in application.rows("SELECT * FROM agents") if row["board_id"] in boards]

    def having(self, *statuses: str) -> Rows:
        return [row for row in self.tasks if row["status"] in statuses]

    def reviewed(self) -> Rows:
        return [row for row in self.having("review") if row["in_progress_at"]]


def hours(row: dict[str, Any]) -> float:
    passed: timedelta = row["updated_at"] - row["in_progress_at"]
    return passed.total_seconds() / 3600


def failed_percent(rows: Rows) -> float:
    failed = [row for row in rows if row["event_type"].endswith("failed")]
    return 100 * len(failed) / len(rows)


def series(
    rows: Rows, column: str, figure: Callable[[Rows], float], start: datetime, end: datetime, bucket: str
) -> list[dict[str, Any]]:
    groups: dict[str, Rows] = {}
    for row in rows:
        if start <= row[column] <= end:
            groups.setdefault(start_of(row[column], bucket).isoformat(), []).append(row)
    return [
        {"period": period, "value": pytest.approx(figure(groups[period]) if period in groups else 0.0)}
        for period in periods(start, end, bucket)
    ]


@pytest.fixture(scope="module")
def seeded(new_application: NewApplication) -> Application:
    """Seeded, with rows that are easy to count wrongly."""
    application = new_application("seeded")
    (demo,) = application.rows("SELECT id FROM boards WHERE slug = 'demo'")[0].values()
    recent = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=5)
    insert = (
        "INSERT INTO tasks (id, board_id, title, status, priority, in_progress_at, created_at, updated_at)"
        " VALUES (%s, %s, 'odd', %s, 'low', %s, %s, %s)"
    )
    task = uuid4()
    application.change(insert, task, demo, "review", None, recent, recent)
    application.change(insert, uuid4(), None, "done", recent, recent, recent)
    application.change(insert, uuid4(), demo, "blocked", recent, recent, recent)
    application.change(insert, uuid4(), demo, "inbox", None, recent - timedelta(days=700), recent)
    event = (
        "INSERT INTO activity_events (id, event_type, task_id, board_id, created_at)"
        " VALUES (%s, %s, %s, %s, %s)"
    )
    application.change(event, uuid4(), "failed", task, demo, recent)
    application.change(event, uuid4(), "run.failed.later", task, demo, recent)
    application.change(event, uuid4(), "run.failed", None, demo, recent)
    return application


@pytest.fixture(scope="module")
def served(seeded: Application) -> Iterator[Backend]:
    with seeded.backend() as backend:
        yield backend


def selection(application: Application, name: str) -> tuple[dict[str, str], set[UUID]]:
    boards = {row["slug"]: row for row in application.rows("SELECT * FROM boards")}
    groups = {row["slug"]: row["id"] for row in application.rows("SELECT * FROM board_groups")}
    kind, _, slug = name.partition(" ")
    if kind == "board":
        return {"board_id": str(boards[slug]["id"])}, {boards[slug]["id"]}
    if kind == "group":
        chosen = {row["id"] for row in boards.values() if row["board_group_id"] == groups[slug]}
        return {"group_id": str(groups[slug])}, chosen
    if kind == "both":
        demo = boards["demo"]
        return {"board_id": str(demo["id"]), "group_id": str(demo["board_group_id"])}, {demo["id"]}
    return {}, {row["id"] for row in boards.values()}


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("key", RANGES)
def test_figures(seeded: Application, served: Backend, key: str, name: str) -> None:
    parameters, boards = selection(seeded, name)
    body = served.read("/api/v1/metrics/dashboard", range_key=key, **parameters)
    count = Count(seeded, boards)
    days, bucket = RANGES[key]
    now, length = datetime.fromisoformat(body["generated_at"]), timedelta(days=days)
    assert body["range"] == key

    for part, start, end in (("primary", now - length, now), ("comparison", now - 2 * length, now - length)):
        expected = {
            "throughput": series(count.having("done"), "updated_at", len, start, end, bucket),
            "cycle_time": series(
                count.reviewed(), "updated_at", lambda rows: fmean(map(hours, rows)), start, end, bucket
            ),
            "error_rate": series(count.events, "created_at", failed_percent, start, end, bucket),
        }
        for figure, points in expected.items():
            ours = body[figure][part]
            assert (ours["range"], ours["bucket"]) == (key, bucket)
            assert ours["points"] == points, figure
            assert any(point["value"] for point in ours["points"]), f"{figure} {part} is zero"
        wip = body["wip"][part]["points"]
        for status in STATUSES:
            column = "created_at" if status == "inbox" else "updated_at"
            points = series(count.having(status), column, len, start, end, bucket)
            assert [{"period": point["period"], "value": point[status]} for point in wip] == points
            assert any(point[status] for point in wip), f"{status} {part} is zero"

    def recent(rows: Rows, column: str) -> Rows:
        return [row for row in rows if row[column] and now - length <= row[column] <= now]

    assert body["kpis"] == {
        "active_agents": len(recent(count.agents, "last_seen_at")),
        "tasks_in_progress": len(count.having("in_progress")),
        **{f"{status}_tasks": len(count.having(status)) for status in STATUSES},
        "error_rate_pct": pytest.approx(failed_percent(recent(count.events, "created_at"))),
        "median_cycle_time_hours_7d": pytest.approx(
            median(map(hours, recent(count.reviewed(), "updated_at")))
        ),
    }
    assert all(body["kpis"].values())


@pytest.mark.parametrize(("key", "points"), [("24h", 25), ("3d", 4), ("7d", 8), ("14d", 15), ("1m", 31)])
def test_a_series_has_one_point_more_than_the_range_has_buckets(
    served: Backend, key: str, points: int
) -> None:
    body = served.read("/api/v1/metrics/dashboard", range_key=key)
    assert {len(body[figure]["primary"]["points"]) for figure in ("throughput", "wip")} == {points}


def test_pending_approvals(served: Backend, seeded: Application) -> None:
    pending = served.read("/api/v1/metrics/dashboard")["pending_approvals"]
    assert pending["total"] == len(pending["items"]) == 3
    assert [item["created_at"] for item in pending["items"]] == sorted(
        (item["created_at"] for item in pending["items"]), reverse=True
    )
    parameters, _ = selection(seeded, "board research")
    assert served.read("/api/v1/metrics/dashboard", **parameters)["pending_approvals"]["total"] == 0


def test_a_board_outside_of_the_group_counts_nothing(served: Backend, seeded: Application) -> None:
    board, _ = selection(seeded, "board demo")
    group, _ = selection(seeded, "group operations")
    body = served.read("/api/v1/metrics/dashboard", **board, **group)
    assert not any(body["kpis"].values())
    assert body["kpis"]["median_cycle_time_hours_7d"] is None


def test_the_guides_parameter_name_is_a_setting(seeded: Application) -> None:
    with seeded.backend(REFERENCE_METRICS_RANGE_PARAMETER="range") as backend:
        assert backend.read("/api/v1/metrics/dashboard", range="7d")["range"] == "7d"
        assert backend.read("/api/v1/metrics/dashboard", range_key="7d")["range"] == "24h"
        refused = backend.get("/api/v1/metrics/dashboard", range="bogus")
        document = backend.client.get("/openapi.json").json()
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "range"]
    names = {item["name"] for item in document["paths"]["/api/v1/metrics/dashboard"]["get"]["parameters"]}
    assert names == {"range", "board_id", "group_id"}


def test_seeding_again_changes_nothing_until_the_data_has_aged(seeded: Application) -> None:
    before = seeded.rows("SELECT id, updated_at FROM tasks ORDER BY id")
    again = seeded.seed()
    assert (again["changed"], again["created"], again["refreshed"]) == (False, 0, 0)
    assert seeded.rows("SELECT id, updated_at FROM tasks ORDER BY id") == before

    moved = seeded.seed("--max-age", "0")
    assert (moved["changed"], moved["created"], moved["unchanged"]) == (True, 0, 0)
    after = {row["id"]: row["updated_at"] for row in seeded.rows("SELECT id, updated_at FROM tasks")}
    assert after.keys() == {row["id"] for row in before}
    shifts = {after[row["id"]] - row["updated_at"] for row in before}
    # The odd rows stay where they were, all seeded ones move together.
    assert len(shifts) == 2
    assert timedelta(0) in shifts
