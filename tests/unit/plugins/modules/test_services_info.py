from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.systemd import ManagerError
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import control
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import states as _states
from ansible_collections.openclaw.mission_control.plugins.modules import services_info


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        services_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def test_states_as_documented(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def states(self: control.Services, names: list[str]) -> dict[str, _states.ServiceState]:
        asked.append(names)
        return {"worker": _states.ServiceState("worker", "mission-control-worker.service", "running")}

    monkeypatch.setattr(control.Services, "states", states)
    result = call(capsys, user=find_account().name, services=["worker"], root="~/app")
    assert asked == [["worker"]]
    assert result["changed"] is False and result["problem"] == ""
    documented = yaml.safe_load(services_info.RETURN)
    assert set(result) - {"changed", "invocation"} == set(documented)
    assert set(result["services"][0]) == set(documented["services"]["contains"])


def test_a_host_without_a_manager_is_described(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def states(self: control.Services, names: list[str]) -> None:
        raise ManagerError("The user x does not linger.", kind="no_linger", remedy="loginctl enable-linger x")

    monkeypatch.setattr(control.Services, "states", states)
    result = call(capsys)
    assert result["services"] == []
    assert (result["problem"], result["remedy"]) == (
        "The user x does not linger.",
        "loginctl enable-linger x",
    )


def test_a_user_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no user nobody-at-all" in call(capsys, user="nobody-at-all")["problem"]


def test_unknown_service(capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, services=["bakend"])
    assert result["failed"] and "bakend" in result["msg"]
