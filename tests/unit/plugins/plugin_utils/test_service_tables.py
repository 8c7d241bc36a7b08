"""Tables and lists over the results of several hosts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _tables
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _service_tables


def service(name: str, state: str = "running", **more: Any) -> dict[str, Any]:
    values = {
        "service": name,
        "state": state,
        "enabled": True,
        "since": 1000.0,
        "restarts": 0,
        "memory_bytes": 100 * 1024 * 1024,
        "release": "abc",
        "stale": False,
        "ports": [8000],
        "result": "",
        "exit_status": None,
        "socket_active": False,
    }
    return values | more


def test_one_table_over_all_hosts() -> None:
    text = _service_tables.status_table(
        {
            "web": {
                "services": [service("backend"), service("worker", ports=[], release="old", stale=True)],
                "current": "abc",
                "time": 4600.0,
            },
            "gone": {"unreachable": True, "msg": "Failed to connect"},
            "bare": {"services": [], "problem": "There is no user x on this host.", "time": 1.0},
            "db": {"services": [], "problem": ""},
        }
    )
    lines = text.splitlines()
    assert lines[0].split() == ["HOST", "SERVICE", "STATE", "SINCE", "RESTARTS", "MEMORY", "RELEASE", "PORT"]
    assert set(lines[1]) == {"-", " "}
    assert "(60 min)" in lines[2] and lines[2].split()[-2:] == ["abc", "8000"] and "100.0 MiB" in lines[2]
    assert lines[3].endswith("old (deployed: abc)")
    assert lines[4].split() == ["gone", "unreachable"]
    assert lines[5].split()[:3] == ["bare", "not", "known"]
    assert lines[6].split()[0] == "db" and "none" in lines[6]
    assert lines[7:] == ["bare: There is no user x on this host."]
    assert len({line.index("running") for line in lines[2:4]}) == 1


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (service("backend", "failed", result="exit-code", exit_status=3), "failed (exit-code 3)"),
        (service("backend", "restarting", result="signal"), "restarting (signal)"),
        (service("backend", "stopped", socket_active=True), "stopped (starts with the next connection)"),
        (service("backend", enabled=False), "running, not enabled"),
        (service("backend", "not deployed", enabled=False, memory_bytes=None), "not deployed"),
    ],
)
def test_states_of_note(state: dict[str, Any], shown: str) -> None:
    rows = _service_tables.status_rows("web", {"services": [state], "time": 2000.0})
    assert rows[0][2] == shown


def test_actions_go_by_service_then_host() -> None:
    def actions(*names: str, action: str = "restart") -> dict[str, Any]:
        return {"actions": [{"service": name, "action": action, "reason": "r"} for name in names]}

    names = ("backend", "worker", "frontend")
    text = _service_tables.actions_table({"a": actions(*names), "b": actions(*names)}, predicted=True)
    order = [tuple(line.split()[:2]) for line in text.splitlines()[2:]]
    assert order == [(host, name) for name in names for host in ("a", "b")]
    assert "would restart" in text
    stops = _service_tables.actions_table({"a": actions(*names[::-1], action="stop")}, predicted=False)
    assert [line.split()[1] for line in stops.splitlines()[2:]] == ["frontend", "worker", "backend"]
    assert "would" not in stops
    assert _service_tables.actions_table({"a": {}, "b": {"skipped": True}}, predicted=True).startswith(
        "Nothing to do"
    )


def record(epoch: float, **more: Any) -> dict[str, Any]:
    values = {
        "epoch": epoch,
        "service": "backend",
        "level": "info",
        "logger": "",
        "message": "hello",
        "source": "text",
        "fields": {},
    }
    return values | more


def test_logs_are_merged_by_time() -> None:
    merged = _service_tables.merge_logs(
        {
            "a": {"entries": [record(1.0), record(3.0)]},
            "b": {"entries": [record(2.0)]},
            "c": {"unreachable": True},
        },
        2,
    )
    assert [(entry["host"], entry["epoch"]) for entry in merged] == [("b", 2.0), ("a", 3.0)]


def test_log_list() -> None:
    entries = _service_tables.merge_logs(
        {
            "a": {
                "entries": [
                    record(1.5, logger="app.x", level="error", message="boom\nTraceback\n  File\x1b[31m"),
                    record(2.0, source="json", fields={"request_id": "r1"}),
                ]
            },
            "long-name": {"entries": [record(3.0, service="worker")]},
        },
        10,
    )
    lines = _service_tables.log_list(entries).splitlines()
    assert lines[0].endswith("ERROR     app.x: boom")
    assert lines[1:3] == ["    Traceback", "      File [31m"]
    assert lines[3].endswith("INFO      hello request_id=r1")
    assert lines[0].index("ERROR") == lines[3].index("INFO") == lines[4].index("INFO")
    assert _service_tables.log_list([]) == ""


def test_json_lines() -> None:
    text = _service_tables.log_json_lines([{"host": "a", "message": "ä\nb"}, {"host": "b"}])
    assert [json.loads(line) for line in text.splitlines()] == [
        {"host": "a", "message": "ä\nb"},
        {"host": "b"},
    ]


def test_rows_of_a_query() -> None:
    rows = [{"name": "Ada\n", "n": 5}, {"name": None, "n": 12}]
    lines = _tables.rows_table(["name", "n"], rows).splitlines()
    assert lines == ["name   n", "----  --", "Ada    5", "      12", "(2 rows)"]
    assert _tables.rows_table(["x"], [{"x": True}], truncated=True).endswith(
        "(1 row, more were left out: raise limit)"
    )
    assert _tables.rows_table(["x"], []).splitlines() == ["x", "-", "(0 rows)"]


def test_wide_letters_and_long_cells_keep_the_columns() -> None:
    text = _tables.table(["a", "b"], [["漢字", "x"], ["e\u0301", "y"], ["z" * 100, "w"]], limit=10)
    assert [_tables.width(line.rsplit(" ", 1)[0]) for line in text.splitlines()[2:]] == [11, 11, 11]
    assert "…" in text
    assert _tables.cell({"k": [1]}) == '{"k": [1]}'
