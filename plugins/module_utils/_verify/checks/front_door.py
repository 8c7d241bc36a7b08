# SPDX-License-Identifier: GPL-3.0-or-later
"""The front door as its users meet it: TLS, one origin, and nothing of the product's lost on the way."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from ..._application.door_access import NO_ENTRY, PATHS, REFUSAL
from ..._http.answer import Answer
from ..._http.browser_origin import origin_of
from ..door_connection import Door, answers, place_of
from ..http_context import HttpContext, OverHttp
from ..verdict import SKIP, Verdict
from . import gateway_door
from .door_answers import (
    WEBHOOK_BYTES,
    judge_body,
    judge_closed,
    judge_forged,
    judge_headers,
    judge_past,
    judge_redirect,
    judge_routes,
    judge_scheme,
    judge_stream,
    judge_upgrade,
)
from .door_certificate import CERTIFICATE, OLD, judge_certificate, judge_fault, judge_versions
from .preflight_request import judge_preflight, preflight

# So many failed logins of agents a minute the product lets through from one address, and a few more.
LOGINS = 22
MEMBER = "/api/v1/organizations/me/member"


def are_streamed(agents: Any) -> bool:
    """Whether the product's stream tells of one of these: of a board's agents, not of a gateway's own."""
    listed = agents.get("items") if isinstance(agents, dict) else agents
    return any(isinstance(agent, dict) and bool(agent.get("board_id")) for agent in listed or ())


def _stream(context: HttpContext, door: Door, options: Mapping[str, Any]) -> Verdict:
    if not context.client.has_token:
        return Verdict("stream", SKIP, "no token: streams are for those who have one")
    agents = context.client.get("/api/v1/agents", parameters={"limit": 200})
    if not are_streamed(context.json(agents)):
        return Verdict("stream", SKIP, "no agent of a board, whose event would come")
    # Since long ago: each agent is an event at once.
    path = "/api/v1/agents/stream?since=2000-01-01T00%3A00%3A00"
    stream = door.listen(
        path, context.shared.token, float(options["stream_seconds"]), float(options["stream_hold"])
    )
    return judge_stream(stream, options)


def _works(
    context: HttpContext, public: str, door: Door, page: Answer, options: Mapping[str, Any]
) -> list[tuple[str, Any]]:
    """What is asked by TLS; all but the stream without the token. `page` is the answer to /."""
    client, closed = context.client, options["closed"]

    def ask(path: str) -> Answer:
        return client.get(public + path, token="")

    def body() -> Verdict:
        path = f"/api/v1/boards/{uuid4()}/webhooks/{uuid4()}"
        try:
            return judge_body(*door.post(path, bytes(WEBHOOK_BYTES)))
        except http.client.HTTPException as error:
            return judge_body(0, {"content-type": type(error).__name__}, b"")

    def forged(number: int) -> int:
        address = f"198.51.100.{number + 1}"  # of documentation (RFC 5737)
        headers = {"X-Forwarded-For": address, "Forwarded": f"for={address}", "X-Agent-Token": "none"}
        return client.get(f"{public}/api/v1/agent/boards", headers=headers, token="").status

    works = [
        ("tls", lambda: judge_versions([minor for minor in OLD if door.speaks(minor)])),
        ("headers", lambda: judge_headers(context, page, options["hsts"])),
        ("routes", lambda: judge_routes(context, page, ask(MEMBER if "health" in closed else "/healthz"))),
        (
            "preflight",
            lambda: judge_preflight(
                context,
                public,
                preflight(context, public + MEMBER, public, "GET", ["authorization"]),
                "GET",
                ["authorization"],
            ),
        ),
        ("scheme", lambda: judge_scheme(context, public, ask(f"{MEMBER}/"))),
        ("stream", lambda: _stream(context, door, options)),
        ("bodies", body),
    ]
    if paths := [path for name in closed for path in PATHS[name]]:
        works.append(("closed", lambda: judge_closed(context, [ask(path) for path in paths])))
    if options["forged"]:
        works.append(("forged", lambda: judge_forged([forged(number) for number in range(LOGINS)])))
    if path := options["websocket_path"]:
        works.append(("websocket", lambda: judge_upgrade(path, door.upgrade(path))))
    return works


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """The certificate first: nothing is sent to whom nobody knows."""
    public = origin_of(context.common["public_url"]) if context.common["public_url"] else ""
    if not public.startswith("https://"):
        return Verdict("front_door", SKIP, "public_url (mission_control_public_url) is not an https address")
    seconds = float(context.common["timeout"])
    verify = (context.common["ca_path"] or True) if context.common["validate_certs"] else False
    door = Door(public, verify, seconds)

    def certificate() -> Verdict:
        try:
            return judge_certificate(door.shown(), context.clock.now(), options)
        except OSError as error:
            return judge_fault(error, port=door.place.port, taken=partial(answers, public, min(seconds, 2.0)))

    def redirect() -> Verdict:
        url = options["http_url"] or public.replace("https:", "http:").removesuffix(
            f":{place_of(public).port}"
        )
        return judge_redirect(context, public, context.client.get(f"{url.rstrip('/')}/", token=""))

    def past() -> Verdict:
        urls = list(options["direct"])
        found = context.parallel([partial(answers, url, min(seconds, 2.0)) for url in urls])
        return judge_past([url for url, answered in zip(urls, found, strict=True) if answered])

    works: list[tuple[str, Any]] = [("redirect", redirect)]
    if options["direct"]:
        works.append(("past the door", past))
    first = context.guard("certificate", certificate)
    believed = first.kind in ("", CERTIFICATE.kind)
    works.insert(0, ("certificate", lambda: first))
    if believed:
        page = context.client.get(f"{public}/", token="")

        def entry() -> Verdict:
            raise context.problem(page, variable="mission_control_public_url", unit="mission-control-proxy")

        refused = page.header(REFUSAL) == NO_ENTRY
        works += [("entry", entry)] if refused else _works(context, public, door, page, options)
        if options["gateway_url"] and not refused:
            works += gateway_door.works(context, verify, seconds, options)
    return context.each("front_door", works)
