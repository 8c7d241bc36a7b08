# ruff: noqa: RUF001 (the signs of Next.js)
"""The level of a line and which lines belong together, over the formats that the services really write."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import log_format
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.journal import JournalEntry
from hypothesis import given
from hypothesis import strategies as st

UNIT = "mission-control-backend.service"


def entry(message: str, time: float = 1000.0, pid: int = 7, **more: Any) -> JournalEntry:
    values: dict[str, Any] = {
        "time": time,
        "message": message,
        "priority": 6,
        "identifier": "mission-control-backend",
        "unit": UNIT,
        "pid": pid,
        "invocation": "",
        "from_manager": False,
    }
    return JournalEntry(**{**values, **more})


def records(*entries: JournalEntry) -> list[log_format.LogRecord]:
    assembler = log_format.Assembler()
    found = [record for item in entries for record in assembler.feed(item)]
    return found + assembler.flush()


@pytest.mark.parametrize(
    ("line", "level", "message", "source", "logger"),
    [
        (
            "2026-04-02 10:11:12,345 INFO app.main app.lifecycle.started app=mission-control version=0.1",
            "info",
            "app.lifecycle.started app=mission-control version=0.1",
            "text",
            "app.main",
        ),
        ("2026-04-02 10:11:12,345 TRACE app.db select 1", "trace", "select 1", "text", "app.db"),
        ("2026-04-02 10:11:12,345 DEBUG app.db x", "debug", "x", "text", "app.db"),
        ("2026-04-02 10:11:12,345 WARNING app.q late", "warning", "late", "text", "app.q"),
        ("2026-04-02 10:11:12,345 ERROR app.q INFO said", "error", "INFO said", "text", "app.q"),
        ("2026-04-02 10:11:12,345 CRITICAL app.q gone", "critical", "gone", "text", "app.q"),
        ("2026-04-02 10:11:12,345 Level 25 app.q odd", "info", "odd", "text", "app.q"),
        ("2026-04-02T10:11:12.345Z [error] app.q iso", "error", "iso", "text", "app.q"),
        ("INFO:     Application startup complete.", "info", "Application startup complete.", "uvicorn", ""),
        ("ERROR:    Exception in ASGI application", "error", "Exception in ASGI application", "uvicorn", ""),
        (
            "WARNING:  Invalid HTTP request received.",
            "warning",
            "Invalid HTTP request received.",
            "uvicorn",
            "",
        ),
        (" ✓ Ready in 532ms", "info", "Ready in 532ms", "node", ""),
        ("   ▲ Next.js 16.0.1", "info", "Next.js 16.0.1", "node", ""),
        (" ⚠ metadataBase is not set", "warning", "metadataBase is not set", "node", ""),
        (
            " ⨯ Error: connect ECONNREFUSED 127.0.0.1:8000",
            "error",
            "Error: connect ECONNREFUSED 127.0.0.1:8000",
            "node",
            "",
        ),
        ("\x1b[31m⨯\x1b[0m boom", "error", "boom", "node", ""),
        (
            "(node:12) [DEP0040] DeprecationWarning: punycode",
            "warning",
            "(node:12) [DEP0040] DeprecationWarning: punycode",
            "node",
            "",
        ),
        (
            "/a/b.py:12: DeprecationWarning: old",
            "warning",
            "/a/b.py:12: DeprecationWarning: old",
            "plain",
            "",
        ),
        ("npm error code ENOENT", "error", "code ENOENT", "plain", ""),
        ("- warn slow", "warning", "slow", "plain", ""),
        ("error: no such thing", "error", "no such thing", "plain", ""),
        ("FATAL: too many connections", "critical", "too many connections", "plain", ""),
        ("Error: listen EADDRINUSE", "error", "Error: listen EADDRINUSE", "plain", ""),
        ("TypeError: x is not a function", "error", "TypeError: x is not a function", "plain", ""),
        (
            "psycopg.OperationalError: connection failed",
            "error",
            "psycopg.OperationalError: connection failed",
            "plain",
            "",
        ),
        ("KeyboardInterrupt", "error", "KeyboardInterrupt", "plain", ""),
        (
            "Error handling is described in the manual",
            "",
            "Error handling is described in the manual",
            "plain",
            "",
        ),
        ("Information about errors", "", "Information about errors", "plain", ""),
        ("    at Server.listen (node:net:1)", "", "    at Server.listen (node:net:1)", "plain", ""),
        ("", "", "", "plain", ""),
    ],
)
def test_level_of_a_line(line: str, level: str, message: str, source: str, logger: str) -> None:
    found = log_format.recognise(line, 6)
    assert (found.level, found.message, found.source, found.logger) == (level, message, source, logger)


@pytest.mark.parametrize(
    ("data", "level", "message"),
    [
        ({"level": "INFO", "logger": "app.main", "message": "started"}, "info", "started"),
        ({"level": "TRACE", "message": "t"}, "trace", "t"),
        ({"level": "WARNING", "message": "w"}, "warning", "w"),
        ({"level": "critical", "message": "c"}, "critical", "c"),
        ({"severity": "ERROR", "msg": "e"}, "error", "e"),
        ({"level": 10, "msg": "p"}, "trace", "p"),
        ({"level": 30, "msg": "p"}, "info", "p"),
        ({"level": 40, "msg": "p"}, "warning", "p"),
        ({"level": 50, "msg": "p"}, "error", "p"),
        ({"level": 60, "msg": "p"}, "critical", "p"),
        ({"level": "40", "message": "python's number"}, "error", "python's number"),
        ({"level": "unheard-of", "message": "m"}, "info", "m"),
        (
            {"level": "ERROR", "message": "m", "exception": "Traceback...\nE: x"},
            "error",
            "m\nTraceback...\nE: x",
        ),
    ],
)
def test_level_of_a_json_line(data: dict[str, Any], level: str, message: str) -> None:
    found = log_format.recognise(json.dumps(data), 6)
    assert (found.level, found.message, found.source) == (level, message, "json")


def test_json_line_keeps_what_else_it_tells() -> None:
    found = log_format.recognise(
        '{"timestamp":"2026-04-02T10:11:12+00:00","level":"INFO","logger":"app.http","message":"request",'
        '"app":"a","version":"1","request_id":"r1","status":200}'
    )
    assert found.logger == "app.http"
    assert found.fields == {"request_id": "r1", "status": 200}


@pytest.mark.parametrize("line", ['{"a": 1}', "{broken", "{}", "[1, 2]", '{"level": true}'])
def test_other_json_is_an_ordinary_line(line: str) -> None:
    found = log_format.recognise(line, 6)
    assert (found.level, found.source, found.message) == ("", "plain", line)


def test_access_line_tells_method_path_and_status() -> None:
    found = log_format.recognise(
        'INFO:     10.0.0.1:55 - "GET /api/v1/agents?limit=1 HTTP/1.1" 500 Internal Server Error'
    )
    assert found.level == "info"
    assert found.fields == {"method": "GET", "path": "/api/v1/agents?limit=1", "status": 500}


@pytest.mark.parametrize(
    ("priority", "level"),
    [
        (0, "critical"),
        (2, "critical"),
        (3, "error"),
        (4, "warning"),
        (5, "info"),
        (6, "info"),
        (7, "debug"),
        (None, "info"),
    ],
)
def test_the_managers_lines_go_by_their_priority(priority: int | None, level: str) -> None:
    found = log_format.recognise("Failed with result 'exit-code'.", priority, from_manager=True)
    assert (found.level, found.source) == (level, "systemd")


def test_a_marked_priority_counts_where_the_text_says_nothing() -> None:
    assert log_format.recognise("something", 3).level == "error"
    assert log_format.recognise("INFO: something", 3).level == "info"


@pytest.mark.parametrize("style", ["%(asctime)s %(levelname)s %(name)s %(message)s app=a"])
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_what_python_formats_is_read_back(style: str, level: str) -> None:
    record = logging.LogRecord("app.x", getattr(logging, level), __file__, 1, "hello %s", ("you",), None)
    found = log_format.recognise(logging.Formatter(style).format(record), 6)
    assert (found.level, found.logger, found.message) == (level.lower(), "app.x", "hello you app=a")


TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/a.py", line 1, in <module>',
    "    f()",
    "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings",
    "local_auth_token",
    "  Value error, LOCAL_AUTH_TOKEN must be at least 50 characters",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    '  File "/b.py", line 2, in g',
    "SystemExit: 3",
]


def test_traceback_is_one_record() -> None:
    found = records(*(entry(line, 1000 + number / 1000) for number, line in enumerate(TRACEBACK)))
    assert len(found) == 1
    assert found[0].level == "error" and found[0].traceback
    assert found[0].message == "\n".join(TRACEBACK)
    assert found[0].lines == len(TRACEBACK)


def test_traceback_belongs_to_the_error_that_announces_it_and_ends_with_the_next_line() -> None:
    lines = ["ERROR:    Exception in ASGI application", *TRACEBACK, "INFO:     Shutting down"]
    found = records(*(entry(line) for line in lines))
    assert [(record.level, record.lines) for record in found] == [("error", 13), ("info", 1)]
    assert found[0].message.startswith("Exception in ASGI application\nTraceback")


def test_exception_group_is_one_record() -> None:
    lines = [
        "ERROR:    Exception in ASGI application",
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "/a.py", line 1',
        "  | ExceptionGroup: unhandled errors (1 sub-exception)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        "    | ValueError: x",
        "    +------------------------------------",
    ]
    found = records(*(entry(line) for line in lines))
    assert [(record.level, record.lines) for record in found] == [("error", 8)]


def test_stack_of_node_is_one_record() -> None:
    lines = [
        " ⨯ Error: boom",
        "    at a (x.js:1:1)",
        "    at b (y.js:2:2) {",
        "  digest: '1'",
        "}",
        " ✓ Ready in 1ms",
    ]
    found = records(*(entry(line) for line in lines))
    assert [(record.level, record.lines) for record in found] == [("error", 5), ("info", 1)]


def test_banner_of_next_is_no_continuation() -> None:
    found = records(entry("   ▲ Next.js 16.0.1"), entry("   - Local:        http://localhost:3000"))
    assert [record.level for record in found] == ["info", "info"]


def test_processes_do_not_mix() -> None:
    found = records(
        entry(TRACEBACK[0], pid=1),
        entry("INFO:     hello", pid=2),
        entry(TRACEBACK[1], pid=1),
        entry("ValueError: 1", pid=1),
    )
    by_pid = {record.pid: record for record in found}
    assert by_pid[1].lines == 3 and by_pid[1].level == "error"
    assert by_pid[2].lines == 1 and by_pid[2].level == "info"


def test_what_comes_later_is_something_else() -> None:
    found = records(entry(TRACEBACK[0], 1000.0), entry("hello", 1005.0))
    assert [(record.level, record.message) for record in found] == [
        ("error", TRACEBACK[0]),
        ("info", "hello"),
    ]


def test_a_manager_line_ends_a_traceback() -> None:
    found = records(
        entry(TRACEBACK[0]), entry("Failed with result 'exit-code'.", priority=4, from_manager=True)
    )
    assert [(record.level, record.source) for record in found] == [("error", "plain"), ("warning", "systemd")]


def test_one_entry_of_several_lines_is_one_record() -> None:
    found = records(entry("2026-04-02 10:11:12,345 ERROR app.x failed\nsecond line\n  third"))
    assert [(record.level, record.message) for record in found] == [("error", "failed\nsecond line\n  third")]


def test_an_endless_traceback_is_cut() -> None:
    found = records(entry(TRACEBACK[0]), *(entry("x" * 1000) for _ in range(2000)))
    assert len(found[0].message) < 70000 and found[0].lines <= 400


def test_many_processes_are_held_in_bounded_memory() -> None:
    assembler = log_format.Assembler()
    done = [record for pid in range(1000) for record in assembler.feed(entry("hello", pid=pid))]
    assert len(done) + len(assembler.flush()) == 1000
    assert len(done) >= 900


@pytest.mark.parametrize(
    ("unit", "identifier", "service"),
    [
        ("mission-control-backend.service", "python", "backend"),
        ("", "mission-control-worker", "worker"),
        ("openclaw-gateway.service", "node", "gateway"),
        ("app.service", "app", "app"),
    ],
)
def test_service_of_a_record(unit: str, identifier: str, service: str) -> None:
    assert records(entry("x", unit=unit, identifier=identifier))[0].service == service


def test_names_and_order_of_levels() -> None:
    assert log_format.level_named(" Warn ") == "warning"
    assert log_format.level_named("loud") is None
    assert log_format.at_least("critical", "error") and not log_format.at_least("info", "warning")


@given(st.lists(st.text(max_size=60), max_size=30))
def test_no_line_is_lost(lines: list[str]) -> None:
    cleaned = [line.replace("\n", " ").replace("\x1b", " ").replace("{", "(") for line in lines]
    found = records(*(entry(line) for line in cleaned))
    assert sum(record.lines for record in found) == len(cleaned)
    assert all(record.level in log_format.LEVELS for record in found)
