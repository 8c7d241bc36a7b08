"""The module cors_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
ORIGIN = "http://72.62.201.147"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_the_recorded_origin_is_allowed(run_module: Run, recorded_api: Api) -> None:
    result = run_module("cors_check", url=recorded_api(TOKEN), public_url=ORIGIN)
    assert result["state"] == "pass"


def test_another_origin_is_missing(run_module: Run, recorded_api: Api) -> None:
    result = run_module("cors_check", url=recorded_api(TOKEN), public_url="https://mc.example.com")
    assert result["failed"] and result["verdict"]["kind"] == "cors_origin_missing"
    assert "mission_control_cors_origins" in result["remedy"]
