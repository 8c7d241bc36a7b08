"""The module health_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_healthy_with_the_same_result_in_check_mode(run_module: Run, recorded_api: Api) -> None:
    url = recorded_api(TOKEN)
    for check_mode in (False, True):
        result = run_module("health_check", url=url, check_mode=check_mode)
        assert result["state"] == "pass" and result["changed"] is False
        assert len(result["verdict"]["checks"]) == 3
        # Check mode really asks.
        assert result["requests"] == 3


def test_a_failure_has_the_same_keys(run_module: Run, recorded_api: Api) -> None:
    url = recorded_api(TOKEN)
    good = run_module("health_check", url=url)
    bad = run_module("health_check", url=url, paths=["/nope"])
    assert set(bad) - set(good) == {"failed"}
    assert set(good) <= set(bad)
    assert bad["failed"] and bad["cause"] and bad["remedy"]
    assert bad["evidence"]["/nope"]["status"] == 401 and set(good["evidence"]) == {
        "/healthz",
        "/health",
        "/readyz",
    }
    # The tree stands there once.
    assert good["verdict"]["checks"] and "verdicts" not in good
    assert bad["root_causes"][0]["check"] == "health./nope"


def test_a_warning_warns_and_does_not_fail_unless_asked(
    run_module: Run, recorded_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: said.append(text))
    url = recorded_api(TOKEN)
    slow = run_module("health_check", url=url, latency_warning="0")
    assert slow["state"] == "warn" and "failed" not in slow
    assert said and said[0].startswith("health./health")
    assert run_module("health_check", url=url, latency_warning="0", fail_on="warn")["failed"]


def test_never_only_reports(run_module: Run, recorded_api: Api) -> None:
    result = run_module("health_check", url=recorded_api(TOKEN), paths=["/nope"], fail_on="never")
    assert result["state"] == "fail" and "failed" not in result


def test_bad_options_are_told_before_anything_is_asked(run_module: Run) -> None:
    result = run_module(
        "health_check", url="ftp://x", latency_warning="fast", successes=0, timeout=0.0, public_url="x"
    )
    for part in (
        "latency_warning: 'fast' is not a valid range",
        "url: 'ftp://x'",
        "successes: 0",
        "timeout: 0.0",
    ):
        assert part in result["msg"]
