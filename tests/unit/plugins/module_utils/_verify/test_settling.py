"""What was started a moment ago is said to be getting ready, and is one root cause."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.causes import (
    find_causes,
    root_causes,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.gateway_address import (
    find_wrong_addresses,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.settling import settle
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict, combine

BACKEND = "mission-control-backend"


def service(unit: str, age: float) -> Verdict:
    active = Verdict("active", summary="running", evidence={"age": age})
    return combine("service", [combine(unit, [active])])


def late(*names: str, kind: str = "timeout") -> list[Verdict]:
    return [
        Verdict(name, "fail", "no answer", kind=kind, cause="overloaded", remedy="restart") for name in names
    ]


@pytest.mark.parametrize(("age", "kinds"), [(3.0, {"settling"}), (300.0, {"timeout"})])
def test_a_start_is_the_one_reason_for_all_that_is_late(age: float, kinds: set[str]) -> None:
    verdicts = [service(BACKEND, age), *late("health", "membership", "agents", "metrics")]
    settle(verdicts)
    find_causes(verdicts, ROWS)
    roots = root_causes(verdicts)
    assert {root["kind"] for root in roots} == kinds
    assert len(roots) == 1
    if age < 20:
        assert "started 3 s ago" in roots[0]["cause"]


def test_a_start_excuses_only_what_it_explains() -> None:
    wrong = Verdict("cors", "fail", "denied", kind="cors_denied", cause="x", remedy="y")
    other = late("frontend")[0]
    settle([service(BACKEND, 2.0), wrong, other])
    assert (wrong.kind, other.kind) == ("cors_denied", "timeout")


def test_what_a_signal_stopped_gets_ready_no_more() -> None:
    process = Verdict(
        "process", "fail", "stopped", kind="process_stopped", cause="SIGSTOP", remedy="kill -CONT 7"
    )
    active = Verdict("active", summary="running", evidence={"age": 12.0})
    gateway = late("gateway", kind="gateway_hung")
    settle([combine("service", [combine("openclaw-gateway", [active, process])]), *gateway])
    assert gateway[0].kind == "gateway_hung"


def test_a_gateway_that_was_just_started() -> None:
    gateway, sessions = late("gateway", kind="gateway_hung"), late("sessions")
    settle([service("openclaw-gateway", 12.0), *gateway, *sessions])
    assert {item.kind for item in (*gateway, *sessions)} == {"settling"}


def test_a_backend_that_answers_nobody_does_not_excuse_a_young_gateway() -> None:
    health, gateway, hung = late("health"), late("gateway"), late("sessions", kind="gateway_hung")
    settle([service("openclaw-gateway", 12.0), *health, *gateway, *hung])
    assert [item.kind for item in (*health, *gateway, *hung)] == ["timeout", "timeout", "settling"]


@pytest.mark.parametrize(
    ("state", "url", "kind"),
    [
        ("pass", "ws://127.0.0.1:18790", "gateway_address"),
        ("pass", "ws://gateway.example.com:18790", "gateway_down"),
        ("fail", "ws://127.0.0.1:18790", "gateway_down"),
    ],
)
def test_a_gateway_that_runs_is_not_said_to_be_stopped(state: str, url: str, kind: str) -> None:
    active = Verdict("active", state, "running", kind="unit_stopped" if state == "fail" else "")
    board = Verdict("board one", "fail", kind="gateway_down", evidence={"gateway_url": url})
    found = [combine("service", [combine("openclaw-gateway", [active])]), combine("gateway", [board])]
    find_wrong_addresses(found)
    assert board.kind == kind


def test_what_settles_while_its_unit_crashes_is_a_consequence_of_that() -> None:
    crash = Verdict("active", "fail", kind="crash_loop", evidence={"age": 1.0})
    found = [combine("service", [combine(BACKEND, [crash])]), combine("frontend", late("api"))]
    settle(found)
    find_causes(found, ROWS)
    assert [root["kind"] for root in root_causes(found)] == ["crash_loop"]


@pytest.mark.parametrize(("age", "kind"), [(2.0, "settling"), (300.0, "no_worker")])
def test_a_worker_that_was_just_started_is_not_missed(age: float, kind: str) -> None:
    workers = Verdict("workers", "fail", kind="no_worker")
    settle([service("mission-control-worker", age), combine("queue", [workers])])
    assert workers.kind == kind
