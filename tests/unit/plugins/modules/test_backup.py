"""The module backup: what it hands on, and who may."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import drill, here, making
from ansible_collections.openclaw.mission_control.plugins.modules import backup


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "open_here", lambda: ("configuration", "restic"))


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        backup.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_a_point_is_made(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "make", lambda *given, purpose: {"changed": True, "given": [*given, purpose]})
    assert call(capsys)["given"] == ["configuration", "restic", "asked for"]
    assert call(capsys, purpose="scheduled")["given"][-1] == "scheduled"


def test_a_drill(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "drill", lambda *given: {"changed": True, "time": given[2]["time"]})
    assert call(capsys, state="drilled", time="2h")["time"] == "2h"


def test_check_mode_makes_none(capsys: pytest.CaptureFixture[str]) -> None:
    for state, changed in (("made", True), ("drilled", True), ("opened", False)):
        assert call(capsys, state=state, _ansible_check_mode=True)["changed"] is changed
