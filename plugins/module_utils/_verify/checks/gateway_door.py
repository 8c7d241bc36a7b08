# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's own address at a front door, as its users meet it: its control page and its WebSocket.

Nothing secret is sent, and nobody is asked to let a device in.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..._application.door_access import NO_ENTRY, REFUSAL
from ..._gateway.errors import GatewayError
from ..._gateway.websocket import WebSocket
from ..._http.answer import Answer
from ..._http.browser_origin import origin_of
from ..._plain_json import parse_json
from ..door_connection import Door, answers
from ..http_context import HttpContext
from ..verdict import FAIL, SKIP, Verdict
from .door_certificate import CERTIFICATE, judge_certificate, judge_fault

OURS = "deploy again (mission_control_gateway_public_url)"
UNIT = "mission-control-proxy"
PARTS = ("gateway certificate", "gateway page", "gateway websocket", "gateway origin")
# The element that all of the control page is in, since it is one program.
_PAGE = "<openclaw-app"
# OpenClaw of 2026.8 and later: "Proxy client attribution is required".
_UNKNOWN_PROXY = re.compile(r"proxy.{0,20}attribution|ingress attribution", re.IGNORECASE)
# What a connection is opened with that has nothing to show: protocols from the oldest to the newest.
_PROTOCOLS = (3, 4)
_NAMELESS = {"id": "gateway-client", "version": "1.0.0", "platform": "linux", "mode": "probe"}


class Greeting(NamedTuple):
    """What came of a WebSocket.

    :param challenged: whether the gateway asked who is there.
    :param failure: the kind of what came in its place, one of GatewayError's.
    :param said: the same in words, or how the gateway answered somebody who has nothing to show.
    """

    challenged: bool
    failure: str = ""
    said: str = ""


def greet(url: str, settings: Any, seconds: float, origin: str = "") -> Greeting:
    """Open a WebSocket, and wait for the gateway's challenge.

    :param url: https://…, at which it is opened.
    :param settings: what TLS goes by.
    :param origin: of the page that a browser would have open. With it somebody without a token and without
      a device asks to be let in, which the gateway refuses; it looks at the origin first.
    """
    until = time.monotonic() + seconds
    headers = {"Origin": origin} if origin else {}
    challenged = False
    try:
        connection = WebSocket.open(
            "wss:" + url.partition(":")[2],
            deadline=lambda: max(0.01, until - time.monotonic()),
            context=settings,
            headers=headers,
        )
        try:
            challenged = _event(connection.receive()) == "connect.challenge"
            if not challenged or not origin:
                said = "" if challenged else "another message"
                return Greeting(challenged, "not_a_gateway" if said else "", said)
            connection.send(json.dumps(_asking()))
            return Greeting(challenged, "", connection.receive())
        finally:
            connection.close()
    except GatewayError as error:
        return Greeting(challenged, error.kind, error.message)


def _event(text: str) -> str:
    try:
        found = parse_json(text)
    except ValueError:
        return ""
    return str(found.get("event")) if isinstance(found, dict) else ""


def _asking() -> dict[str, Any]:
    parameters = {
        "minProtocol": _PROTOCOLS[0],
        "maxProtocol": _PROTOCOLS[1],
        "client": _NAMELESS,
        "role": "operator",
        "scopes": [],
    }
    return {"type": "req", "id": "1", "method": "connect", "params": parameters}


def judge_page(context: HttpContext, answer: Answer) -> Verdict:
    """The control page is served, by the gateway and not by somebody else."""
    if answer.failure or answer.header(REFUSAL) == NO_ENTRY:
        raise context.problem(answer, variable="mission_control_gateway_public_url", unit=UNIT)
    text, evidence = answer.text, answer.evidence(context.redactor)
    if answer.status == 403 and _UNKNOWN_PROXY.search(text):
        return unknown_proxy("gateway page", evidence)
    if answer.status in (502, 503, 504):
        return Verdict(
            "gateway page",
            FAIL,
            f"the door does not reach the gateway ({answer.status})",
            cause="The gateway is down or just being started, or listens at another address than the door "
            "asks: on loopback alone, where the door is on another host.",
            remedy="On the gateway's host: mission-control status; mission-control restart gateway. Where it "
            "listens: ss -ltnp 'sport = :18789'; where the door asks: grep -A9 '^backend gateway' "
            f"/etc/mission-control/proxy/haproxy.cfg. Ours: {OURS}.",
            kind="door_gateway_lost",
            evidence=evidence,
        )
    if answer.ok and _PAGE in text:
        return Verdict("gateway page", summary="the gateway's control page is answered")
    return Verdict(
        "gateway page",
        FAIL,
        f"{urlsplit(answer.url).path or '/'} answered {answer.status} without the gateway's control page",
        cause="The proxy hands the gateway's address to somebody else, or the gateway serves no page: its "
        "controlUi.enabled is false, or its controlUi.basePath is another.",
        remedy="server_name and proxy_pass of its own (nginx), use_backend by name or port (HAProxy), a site "
        f"of its own (Caddy); ours: {OURS}.",
        kind="door_gateway_page",
        evidence=evidence,
    )


def unknown_proxy(part: str, evidence: Mapping[str, Any]) -> Verdict:
    """The gateway is reached, and takes the door for somebody who claims to be one."""
    return Verdict(
        part,
        FAIL,
        "the gateway does not know the door and refuses what comes through it",
        cause="The door's address is not in gateway.trustedProxies of the gateway's configuration, or the "
        "door does not say from whom a request is (X-Forwarded-For). OpenClaw of 2026.8 and later refuses "
        "that.",
        remedy="Add the proxy's address to gateway.trustedProxies (gateway_trusted_proxies of the role "
        f"gateway); proxy_set_header X-Forwarded-For $remote_addr; (nginx); ours: {OURS}.",
        kind="door_gateway_proxy",
        evidence=dict(evidence),
    )


def judge_greeting(greeting: Greeting) -> Verdict:
    """A WebSocket is opened, and the gateway itself is at its end."""
    evidence = {"answer": greeting.said[:200]}
    if greeting.challenged:
        return Verdict(
            "gateway websocket", summary="a WebSocket is opened, and the gateway asks who is there"
        )
    if _UNKNOWN_PROXY.search(greeting.said):
        return unknown_proxy("gateway websocket", evidence)
    opened = greeting.failure in ("timeout", "closed") or not greeting.said.startswith("Instead of")
    if not opened:
        return Verdict(
            "gateway websocket",
            FAIL,
            greeting.said,
            cause="The proxy does not hand Upgrade and Connection on, or hands the WebSocket to somebody "
            "else.",
            remedy="proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header "
            'Connection "upgrade"; (nginx). HAProxy, Caddy and Traefik do it by themselves.',
            kind="door_gateway_websocket",
            evidence=evidence,
        )
    return Verdict(
        "gateway websocket",
        FAIL,
        f"no challenge of the gateway: {greeting.said}",
        cause="A WebSocket was asked for, and who answers is not the gateway, or it hangs.",
        remedy="On the gateway's host: mission-control status; mission-control restart gateway; what it did "
        "last: mission-control logs gateway.",
        kind="door_gateway_silent",
        evidence=evidence,
    )


def judge_origin(origin: str, greeting: Greeting) -> Verdict:
    """Pages of this address may open a connection; whether a device is let in is another question."""
    if not greeting.challenged:
        return Verdict("gateway origin", SKIP, "no WebSocket to see it by")
    said = greeting.said
    if "protocol mismatch" in said.lower():
        return Verdict("gateway origin", SKIP, "the gateway speaks a protocol that is not known here")
    if "ORIGIN_NOT_ALLOWED" in said or "origin not allowed" in said.lower():
        return Verdict(
            "gateway origin",
            FAIL,
            f"the gateway lets in no page of {origin}",
            cause=f"{origin} is not in gateway.controlUi.allowedOrigins of the gateway's configuration: the "
            "control page is shown, and cannot connect.",
            remedy="Take allowedOrigins out of mission_control_gateway_configuration, or add the address to "
            f"it; ours: {OURS}.",
            kind="door_gateway_origin",
            evidence={"origin": origin},
        )
    return Verdict("gateway origin", summary=f"pages of {origin} may connect")


def works(
    context: HttpContext, verify: bool | str, seconds: float, options: Mapping[str, Any]
) -> list[tuple[str, Callable[[], Verdict]]]:
    """What is asked at the gateway's address. Nothing is sent where the certificate is not believed."""
    url = str(options["gateway_url"])
    origin, door = origin_of(url), Door(url, verify, seconds)

    def certificate() -> Verdict:
        try:
            return judge_certificate(door.shown(), context.clock.now(), options)
        except OSError as error:
            return judge_fault(error, port=door.place.port, taken=partial(answers, url, min(seconds, 2.0)))

    first = context.guard(PARTS[0], certificate)
    found: list[tuple[str, Callable[[], Verdict]]] = [(PARTS[0], lambda: first)]
    if first.kind not in ("", CERTIFICATE.kind):
        return found
    settings = door.settings()
    return [
        *found,
        (PARTS[1], lambda: judge_page(context, context.client.get(url, token=""))),
        (PARTS[2], lambda: judge_greeting(greet(url, settings, seconds))),
        (PARTS[3], lambda: judge_origin(origin, greet(url, settings, seconds, origin))),
    ]
