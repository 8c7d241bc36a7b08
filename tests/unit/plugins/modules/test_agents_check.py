"""The module agents_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_an_agent_that_has_been_in_the_making_for_days_warns(run_module: Run, recorded_api: Api) -> None:
    result = run_module("agents_check", url=recorded_api(TOKEN), token=TOKEN, provisioning_warning="0")
    assert result["state"] == "warn" and result["verdict"]["kind"] == "agents_stuck"


def test_a_missing_agent_fails(run_module: Run, recorded_api: Api) -> None:
    result = run_module(
        "agents_check", url=recorded_api(TOKEN), token=TOKEN, expected=["Nobody"], provisioning_warning=""
    )
    assert result["failed"] and "Nobody" in result["msg"]
