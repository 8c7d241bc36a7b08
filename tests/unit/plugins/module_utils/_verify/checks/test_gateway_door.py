# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of the gateway's own address at a front door; the scenario front_door has a real one."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.answer import Answer
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import gateway_door
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks.gateway_door import (
    Greeting,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.context import Problem
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict
from checks_support import make_context
from gateway_server import Gateway, make_certificate

URL = "https://gw.example.com"
HTML = {"content-type": "text/html"}
OTHERS = '{"error":{"message":"Proxy client attribution is required","type":"proxy_attribution_required"}}'
ORIGIN = '{"type":"res","ok":false,"error":{"message":"origin not allowed (open the Control UI from the'


def told(verdict: Verdict) -> tuple[str, str]:
    if verdict.state in ("fail", "warn"):
        assert verdict.cause and verdict.remedy, verdict.summary
    return verdict.state, verdict.kind


def answer(status: int, body: str, headers: dict[str, str] = HTML) -> Answer:
    return Answer("GET", f"{URL}/", status=status, headers=headers, body=body.encode())


@pytest.mark.parametrize(
    ("answered", "found"),
    [
        (answer(200, "<html><openclaw-app></openclaw-app>"), ("pass", "")),
        (answer(200, "<html><title>OpenClaw Mission Control</title>"), ("fail", "door_gateway_page")),
        (answer(404, "Not Found"), ("fail", "door_gateway_page")),
        (answer(503, "<html>"), ("fail", "door_gateway_lost")),
        (answer(502, "<html>"), ("fail", "door_gateway_lost")),
        (answer(403, OTHERS), ("fail", "door_gateway_proxy")),
    ],
)
def test_pages(answered: Answer, found: tuple[str, str]) -> None:
    assert told(gateway_door.judge_page(make_context(name="front_door"), answered)) == found


def test_a_door_that_lets_nobody_in_says_so_itself() -> None:
    refused = answer(403, "{}", {"mission-control-door": "no-entry"})
    with pytest.raises(Problem) as caught:
        gateway_door.judge_page(make_context(name="front_door"), refused)
    assert caught.value.kind == "door_no_entry"


@pytest.mark.parametrize(
    ("greeting", "found"),
    [
        (Greeting(True), ("pass", "")),
        (
            Greeting(False, "not_a_gateway", "Instead of a WebSocket there is: HTTP/1.1 200 OK"),
            ("fail", "door_gateway_websocket"),
        ),
        (Greeting(False, "not_a_gateway", "another message"), ("fail", "door_gateway_silent")),
        (Greeting(False, "timeout", "No answer in time."), ("fail", "door_gateway_silent")),
        (
            Greeting(
                False,
                "closed",
                "The gateway closed the connection (1008 gateway ingress attribution required).",
            ),
            ("fail", "door_gateway_proxy"),
        ),
    ],
)
def test_websockets(greeting: Greeting, found: tuple[str, str]) -> None:
    assert told(gateway_door.judge_greeting(greeting)) == found


@pytest.mark.parametrize(
    ("greeting", "found"),
    [
        (Greeting(True, "", ORIGIN), ("fail", "door_gateway_origin")),
        (
            Greeting(True, "", '{"error":{"details":{"code":"CONTROL_UI_ORIGIN_NOT_ALLOWED"}}}'),
            ("fail", "door_gateway_origin"),
        ),
        (Greeting(True, "", '{"error":{"message":"unauthorized: gateway token missing"}}'), ("pass", "")),
        (Greeting(True, "", '{"error":{"message":"protocol mismatch"}}'), ("skip", "")),
        (Greeting(False, "timeout", "No answer in time."), ("skip", "")),
    ],
)
def test_origins(greeting: Greeting, found: tuple[str, str]) -> None:
    assert told(gateway_door.judge_origin(URL, greeting)) == found


def test_a_gateway_greets_and_is_told_no_token(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "gateway.pem")
    settings = ssl.create_default_context(cafile=f"{certificate}.certificate")
    with Gateway(certificate=certificate) as gateway:
        url = gateway.url.replace("wss:", "https:")
        assert gateway_door.greet(url, settings, 10) == Greeting(True)
    with Gateway(certificate=certificate, raw=b"HTTP/1.1 200 OK\r\n\r\n") as gateway:
        found = gateway_door.greet(gateway.url.replace("wss:", "https:"), settings, 10)
        assert not found.challenged and found.said.startswith("Instead of a WebSocket")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert gateway_door.greet(f"https://127.0.0.1:{port}", settings, 5).failure == "unreachable"


def test_who_asks_has_nothing_to_show() -> None:
    asking: dict[str, Any] = gateway_door._asking()
    assert asking["method"] == "connect" and not {"auth", "device"} & set(asking["params"])
