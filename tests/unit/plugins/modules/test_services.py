from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import (
    components,
    service_order,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import control
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import states as _states
from ansible_collections.openclaw.mission_control.plugins.modules import services


class Host:
    """Services in memory; what is carried out is noted."""

    def __init__(self, **states: str) -> None:
        self.states_ = states
        self.done: list[tuple[str, str]] = []
        self.fail_at = ""

    def states(self, names: list[str]) -> dict[str, _states.ServiceState]:
        return {
            name: _states.ServiceState(
                name, components.service_unit(name), self.states_.get(name, "not deployed"), pid=5
            )
            for name in service_order.ordered(names)
        }

    def carry_out(self, action: control.Action, timeout: float) -> _states.ServiceState:
        self.done.append((action.service, action.action))
        if action.service == self.fail_at:
            raise control.ServiceError(
                "It ended again.",
                kind="port_held",
                remedy="ss -ltnp",
                unit=action.unit,
                journal=["line"] * 40,
            )
        self.states_[action.service] = "stopped" if action.action == "stop" else "running"
        return self.states([action.service])[action.service]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    found = Host(backend="running", worker="running", frontend="stopped")
    monkeypatch.setattr(control.Services, "states", lambda self, names: found.states(names))
    monkeypatch.setattr(control.Services, "carry_out", lambda self, *given: found.carry_out(*given))
    return found


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args({"user": find_account().name, **arguments}), pytest.raises(SystemExit) as ended:
        services.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def test_restart_in_order(capsys: pytest.CaptureFixture[str], host: Host) -> None:
    result = call(capsys, state="restarted")
    assert host.done == [("backend", "restart"), ("worker", "restart"), ("frontend", "start")]
    assert result["changed"]
    assert [action["service"] for action in result["actions"]] == ["backend", "worker", "frontend"]
    assert {state["state"] for state in result["services"]} == {"running"}


def test_what_stands_already_is_left_alone(capsys: pytest.CaptureFixture[str], host: Host) -> None:
    assert call(capsys, state="started", services=["backend", "worker"])["changed"] is False
    assert host.done == []


def test_check_mode_says_the_same_and_does_nothing(capsys: pytest.CaptureFixture[str], host: Host) -> None:
    predicted = call(capsys, state="restarted", _ansible_check_mode=True, _ansible_diff=True)
    assert host.done == []
    assert predicted["changed"]
    assert (
        predicted["diff"]["before"]
        == "backend: running, process 5\nworker: running, process 5\nfrontend: stopped, process 5\n"
    )
    assert "frontend: running, started anew" in predicted["diff"]["after"]
    assert predicted["actions"] == call(capsys, state="restarted")["actions"]


def test_the_first_failure_ends_it(capsys: pytest.CaptureFixture[str], host: Host) -> None:
    host.fail_at = "worker"
    result = call(capsys, state="restarted")
    assert result["failed"] and result["changed"]
    assert host.done == [("backend", "restart"), ("worker", "restart")]
    assert result["msg"] == "It ended again. ss -ltnp"
    assert (result["kind"], result["unit"], len(result["journal"])) == (
        "port_held",
        "mission-control-worker.service",
        15,
    )


def test_what_is_not_deployed_is_said_before_anything_is_done(
    capsys: pytest.CaptureFixture[str], host: Host
) -> None:
    result = call(capsys, state="restarted", services=["backend", "gateway"])
    assert result["failed"] and result["kind"] == "not_deployed" and not result["changed"]
    assert host.done == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"services": ["bakend"]}, "bakend"),
        ({"state": "reloaded"}, "reloaded"),
        ({"timeout": 0}, "timeout: 0"),
        ({"user": "nobody-at-all"}, "no user nobody-at-all"),
    ],
)
def test_bad_input(
    capsys: pytest.CaptureFixture[str], host: Host, arguments: dict[str, Any], message: str
) -> None:
    result = call(capsys, **arguments)
    assert result["failed"] and message in result["msg"]
    assert host.done == []
