"""A request that the backend fails at is told once, with what the backend has logged of it."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.causes import (
    find_causes,
    root_causes,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.log_reasons import tell_reasons
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import (
    FAIL,
    WARN,
    Verdict,
    combine,
)

COMPLETE = "9 x http.request.complete method=GET path=/api/v1/agents status_code=500"


def failed(name: str, path: str) -> Verdict:
    return Verdict(name, FAIL, f"GET {path} answered 500", cause="?", remedy="?", kind="server_error")


def suite(*logged: str) -> list[Verdict]:
    errors = Verdict("errors", WARN, "errors", cause="?", remedy="?", kind="log_errors")
    errors.evidence = {"worst": [COMPLETE, *logged]}
    unit = combine("mission-control-backend", [errors])
    return [
        failed("agents", "/api/v1/agents"),
        combine("sessions", [failed("board a", "/api/v1/agents"), failed("board b", "/api/v1/agents")]),
        combine("metrics", [failed("24h", "/metrics"), failed("7d", "/metrics")]),
        combine("log", [unit]),
    ]


@pytest.mark.parametrize(
    ("logged", "cause"),
    [
        ("unhandled: sqlalchemy.exc.InternalError: (psycopg.errors.DataCorrupted) invalid page", "damaged"),
        (
            "unhandled: pydantic_core.ValidationError: 1 validation error for AgentRead",
            "A row of the database",
        ),
        ("unhandled: (psycopg.errors.UndefinedColumn) column x does not exist", "schema by hand"),
        ("unhandled_exception: KeyError: 'x'", "What it logged last of that kind: unhandled_exception"),
    ],
)
def test_a_failing_request_is_one_cause(logged: str, cause: str) -> None:
    verdicts = suite(f"2 x {logged}")
    tell_reasons(verdicts)
    find_causes(verdicts, ROWS)
    roots = root_causes(verdicts)
    # One for each request.
    assert {root["check"] for root in roots} == {"sessions.board a", "metrics.24h"}
    assert all(cause in root["cause"] and root["remedy"] for root in roots)
    assert {path for root in roots for path in root["consequences"]} == {
        "agents",
        "sessions.board b",
        "metrics.7d",
        "log.mission-control-backend.errors",
    }


def test_without_a_log_nothing_is_told_of_it() -> None:
    verdicts = suite()[:2]
    tell_reasons(verdicts)
    assert verdicts[0].cause == "?"
