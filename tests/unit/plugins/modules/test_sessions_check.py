"""The module sessions_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_the_recorded_sessions(run_module: Run, recorded_api: Api) -> None:
    result = run_module("sessions_check", url=recorded_api(TOKEN), token=TOKEN)
    assert result["state"] == "pass"


def test_too_few_sessions(run_module: Run, recorded_api: Api) -> None:
    result = run_module("sessions_check", url=recorded_api(TOKEN), token=TOKEN, count_critical="5:")
    assert result["failed"] and result["verdict"]["kind"] == "session_count"
