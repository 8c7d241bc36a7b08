"""The module session_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_a_known_session(run_module: Run, recorded_api: Api) -> None:
    url = recorded_api(TOKEN)
    result = run_module("session_check", url=url, token=TOKEN, session_ids=["agent:mc-demo-1:main"])
    assert result["state"] == "pass"
    assert run_module("session_check", url=url, token=TOKEN)["state"] == "pass"


def test_an_unknown_session(run_module: Run, recorded_api: Api) -> None:
    result = run_module("session_check", url=recorded_api(TOKEN), token=TOKEN, session_ids=["nope"])
    assert result["failed"] and result["verdict"]["kind"] == "session_unknown"
