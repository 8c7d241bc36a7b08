"""The module gateway_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests

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


@pytest.mark.parametrize(
    ("change", "by_board"),
    [
        ({}, True),
        ({"gateway_token": "another-token-0123456789"}, False),
        ({"gateway_url": "ws://elsewhere:1"}, False),
        ({"disable_device_pairing": False}, False),
    ],
)
def test_a_token_that_is_registered_is_in_no_query(
    run_module: Run, serve: Callable[..., str], recorded_api: Api, change: dict[str, Any], by_board: bool
) -> None:
    """The backend's access log repeats the query string of a request."""
    asked: list[str] = []
    api = recorded_api(TOKEN)

    def relay(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        with requests.get(f"{api}{handler.path}", headers=dict(handler.headers), timeout=5) as answer:
            handler.send_response(answer.status_code)
            handler.send_header("content-type", "application/json")
            handler.send_header("content-length", str(len(answer.content)))
            handler.end_headers()
            handler.wfile.write(answer.content)

    given = {
        "gateway_url": "ws://10.77.0.1:18789",
        "gateway_token": "EXAMPLE-GATEWAY-TOKEN",
        "disable_device_pairing": True,
        **change,
    }
    result = run_module("gateway_check", url=serve(relay), token=TOKEN, **given)
    (query,) = [path for path in asked if path.startswith("/api/v1/gateways/status")]
    assert (given["gateway_token"] not in query) is by_board
    assert ("board_id=20813ec1-faa7-4945-8f4d-1ddf076e7bd2" in query) is by_board
    assert result["state"] == "pass" and given["gateway_token"] not in str(result)
