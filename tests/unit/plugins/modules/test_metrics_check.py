"""The module metrics_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_all_ranges(run_module: Run, recorded_api: Api) -> None:
    result = run_module("metrics_check", url=recorded_api(TOKEN), token=TOKEN)
    assert result["state"] == "pass" and len(result["verdict"]["checks"]) == 8


def test_a_threshold(run_module: Run, recorded_api: Api) -> None:
    result = run_module(
        "metrics_check", url=recorded_api(TOKEN), token=TOKEN, kpi_critical={"error_rate_pct": "5"}
    )
    assert result["failed"] and result["verdict"]["kind"] == "kpi_threshold"


def test_the_wrong_parameter_is_found_out(run_module: Run, recorded_api: Api) -> None:
    result = run_module("metrics_check", url=recorded_api(TOKEN), token=TOKEN, range_parameter="range")
    assert result["verdict"]["kind"] == "metrics_range"
