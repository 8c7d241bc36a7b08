"""The module verify, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
ORIGIN = "http://72.62.201.147"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


CHECKS = ["health", "cors", "membership", "agents", "gateway", "sessions", "session", "metrics"]


def verify(run_module: Run, url: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"checks": CHECKS, "token": TOKEN, "public_url": ORIGIN}
    given["agents"] = {"provisioning_warning": ""}
    # How fast a busy machine runs tests is no finding.
    given["health"] = {"latency_warning": "", "latency_critical": ""}
    return run_module("verify", url=url, **{**given, **more})


def test_all_that_the_api_tells(run_module: Run, recorded_api: Api) -> None:
    result = verify(run_module, recorded_api(TOKEN), check_mode=True)
    assert result["state"] == "pass", result["msg"]
    assert result["counts"] == {
        "total": 8, "pass": 8, "flaky": 0, "skip": 0, "warn": 0, "fail": 0, "error": 0,
    }  # fmt: skip
    assert result["changed"] is False and result["comparison"] is None
    assert TOKEN not in str(result) and "EXAMPLE-GATEWAY-TOKEN" not in str(result)


def test_a_wrong_token_is_one_cause(run_module: Run, recorded_api: Api) -> None:
    result = verify(run_module, recorded_api("another-token"))
    assert result["failed"]
    assert [cause["check"] for cause in result["root_causes"]] == ["membership.role"]
    assert len(result["root_causes"][0]["consequences"]) >= 4


def test_a_check_that_was_not_picked_is_not_run(run_module: Run, recorded_api: Api) -> None:
    result = verify(run_module, recorded_api(TOKEN), checks=["health", "cors"], skip=["cors"])
    assert [verdict["name"] for verdict in result["verdicts"]] == ["health"]
    assert result["requests"] == 3


def test_nothing_left_to_check(run_module: Run, recorded_api: Api) -> None:
    result = verify(run_module, recorded_api(TOKEN), checks=["health"], skip=["health"])
    assert result["failed"] and "nothing is left to check" in result["msg"]


def test_options_of_a_check_are_checked(run_module: Run, recorded_api: Api) -> None:
    result = verify(run_module, recorded_api(TOKEN), health={"latency_warning": "x"})
    assert "health.latency_warning: 'x' is not a valid range" in result["msg"]
    result = verify(run_module, recorded_api(TOKEN), health={"pahts": []})
    assert result["failed"] and "pahts" in result["msg"]


def test_waivers(run_module: Run, recorded_api: Api) -> None:
    url = recorded_api(TOKEN, gateway_status_by_board="gateway-status-unreachable")
    waivers = [{"check": "gateway", "reason": "being moved", "expires": "2999-01-01"}]
    result = verify(run_module, url, waivers=waivers)
    assert result["state"] == "pass" and result["counts"]["skip"] == 1
    waivers[0]["expires"] = "2020-01-01"
    assert verify(run_module, url, waivers=waivers)["failed"]


def test_a_baseline_decides(run_module: Run, recorded_api: Api) -> None:
    before = verify(run_module, recorded_api(TOKEN))
    assert "started" not in before
    before = {key: before[key] for key in ("verdicts", "begun")}
    url = recorded_api(TOKEN, gateway_status_by_board="gateway-status-unreachable")
    after = verify(run_module, url, baseline=before, diff=True, fail_on="never")
    assert after["comparison"]["decision"] == "ROLLBACK"
    assert "gateway.board demo: pass" in after["diff"]["before"]
    assert "gateway.board demo: fail" in after["diff"]["after"]
    assert verify(run_module, recorded_api(TOKEN), baseline=before)["comparison"]["decision"] in (
        "PROCEED",
        "REVIEW",
    )
    wrong = verify(run_module, recorded_api(TOKEN), baseline={"a": 1})
    assert wrong["failed"] and "baseline" in wrong["msg"]
