"""The module membership_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_the_owner(run_module: Run, recorded_api: Api) -> None:
    result = run_module("membership_check", url=recorded_api(TOKEN), token=TOKEN)
    assert result["state"] == "pass" and TOKEN not in str(result)


def test_a_wrong_token_is_the_cause(run_module: Run, recorded_api: Api) -> None:
    result = run_module("membership_check", url=recorded_api(TOKEN), token="x" * 60)
    assert result["failed"] and result["verdict"]["kind"] == "unauthorized"
    assert "x" * 60 not in str({key: value for key, value in result.items() if key != "invocation"})


def test_another_role(run_module: Run, recorded_api: Api) -> None:
    result = run_module("membership_check", url=recorded_api(TOKEN), token=TOKEN, role="admin")
    assert result["verdict"]["kind"] == "wrong_role"
