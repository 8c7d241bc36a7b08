"""The module gateway_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


def test_a_connected_gateway(run_module: Run, recorded_api: Api) -> None:
    assert run_module("gateway_check", url=recorded_api(TOKEN), token=TOKEN)["state"] == "pass"


def test_why_it_is_not_connected(run_module: Run, recorded_api: Api) -> None:
    url = recorded_api(TOKEN, gateway_status_by_board="gateway-status-pairing-required")
    result = run_module("gateway_check", url=url, token=TOKEN)
    assert result["failed"] and result["verdict"]["kind"] == "gateway_pairing"
    assert "openclaw devices approve" in result["remedy"]


def test_the_token_of_a_gateway_stays_hidden(run_module: Run, recorded_api: Api) -> None:
    url = recorded_api(TOKEN, gateway_status_by_board="gateway-status-wrong-token")
    secret = "gateway-token-0123456789"
    result = run_module("gateway_check", url=url, token=TOKEN, gateway_url="ws://h:1", gateway_token=secret)
    assert result["failed"] and secret not in str(result)
