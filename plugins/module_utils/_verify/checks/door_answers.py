# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front door's answers say of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..._cures import DELIBERATE
from ..._http.answer import Answer
from ..._http.browser_origin import origin_of
from ..door_connection import Stream
from ..http_context import HttpContext
from ..verdict import FAIL, SKIP, WARN, Verdict

# The product's WEBHOOK_MAX_PAYLOAD_BYTES.
WEBHOOK_BYTES = 1048576
OURS = "deploy again (roles/proxy writes it)"


def judge_redirect(context: HttpContext, public: str, answer: Answer) -> Verdict:
    """From http users are sent on, to the same place with https."""
    evidence = answer.evidence(context.redactor)
    target = answer.header("location")
    if answer.failure:
        return Verdict(
            "redirect",
            WARN,
            f"nothing answers without TLS ({answer.failure.message})",
            cause="Who types the name alone gets no answer where his browser tries http first.",
            remedy="Have the proxy listen on port 80, too, and send users on to https; let a firewall "
            "pass it.",
            kind="door_no_redirect",
            evidence=evidence,
        )
    if answer.status in (301, 302, 303, 307, 308) and origin_of(target) == public:
        if answer.status in (301, 308):
            return Verdict("redirect", summary=f"sent on to {public} ({answer.status})")
        return Verdict(
            "redirect",
            WARN,
            f"sent on for this once only ({answer.status})",
            cause="Browsers do not remember it, and ask without TLS each time.",
            remedy=f"return 308 https://… (nginx), code 308 (HAProxy): a permanent redirect; ours: {OURS}.",
            kind="door_redirect_passing",
            cure=DELIBERATE,
            evidence=evidence,
        )
    sent_on = 300 <= answer.status < 400
    return Verdict(
        "redirect",
        FAIL,
        f"http is sent on to {context.redactor.text(target)}" if sent_on else f"http answers {answer.status}",
        cause="The proxy's redirect leads somewhere else than mission_control_public_url."
        if sent_on
        else "Pages are served without TLS, or something else has port 80: tokens would be sent in clear.",
        remedy=f"return 308 {public}$request_uri; (nginx), http-request redirect prefix {public} code 308 "
        f"(HAProxy); ours: {OURS}.",
        kind="door_redirect_elsewhere" if sent_on else "door_serves_http",
        cure=DELIBERATE,
        evidence=evidence,
    )


def judge_headers(context: HttpContext, answer: Answer, hsts: bool) -> Verdict:
    """What every answer has to say, and what none should."""
    if answer.failure:
        raise context.problem(answer, variable="mission_control_public_url", unit="mission-control-proxy")
    evidence = answer.evidence(context.redactor)
    age = re.search(r"max-age=\"?(\d+)", answer.header("strict-transport-security"))
    if hsts and (age is None or int(age[1]) == 0):
        return Verdict(
            "headers",
            FAIL,
            "browsers are not told to insist on https",
            cause="Strict-Transport-Security is missing: whoever is between can keep a user on http.",
            remedy='add_header Strict-Transport-Security "max-age=31536000" always; (nginx), '
            "http-after-response "
            f"set-header (HAProxy); ours: mission_control_hsts, and {OURS}. Where that is on purpose: "
            "verify_front_door: {hsts: false}.",
            kind="door_hsts_missing",
            cure=DELIBERATE,
            evidence=evidence,
        )
    telling = [
        f"{name}: {answer.header(name)}"
        for name in ("server", "x-powered-by", "via")
        if re.search(r"\d", answer.header(name))
    ]
    if telling:
        return Verdict(
            "headers",
            WARN,
            f"tells its version ({'; '.join(telling)})",
            cause="A version number tells which known flaws to try.",
            remedy="server_tokens off; (nginx), http-response del-header Server (HAProxy), header "
            f"-Server (Caddy); ours: {OURS}.",
            kind="door_version_told",
            cure=DELIBERATE,
            evidence=evidence,
        )
    return Verdict("headers", summary="HSTS, and no version" if hsts else "no version")


def judge_routes(context: HttpContext, page: Answer, api: Answer) -> Verdict:
    """Pages and API at one origin."""
    for answer in (page, api):
        if answer.failure or answer.status == 503:
            raise context.problem(answer, variable="mission_control_public_url", unit="mission-control-proxy")
    for what, answer, wanted in (("page", page, "html"), ("API", api, "json")):
        kind = answer.header("content-type").partition(";")[0]
        # Without a token the API says so, which is its own answer all the same.
        its_own = answer.ok or (what == "API" and answer.status == 401)
        if not its_own or wanted not in kind:
            other = "the backend's" if what == "page" else "the frontend's"
            return Verdict(
                "routes",
                FAIL,
                f"{urlsplit(answer.url).path or '/'} answered {answer.status} ({kind or 'no content type'})",
                cause=f"The proxy hands the {what}'s requests to somebody else, most often to {other} "
                f"port, or "
                f"the service behind it is down.",
                remedy="/api/, /health, /healthz, /readyz, /openapi.json, /docs and /redoc belong to "
                "the backend, "
                "all else to the frontend: location and proxy_pass (nginx), use_backend (HAProxy), "
                f"reverse_proxy (Caddy); ours: {OURS}.",
                kind="door_routes",
                cure=DELIBERATE,
                evidence=answer.evidence(context.redactor),
            )
    return Verdict("routes", summary="pages and API at one origin")


def judge_closed(context: HttpContext, answers: Sequence[Answer]) -> Verdict:
    """What is for the deployment's own hosts is served to nobody else."""
    for answer in answers:
        if answer.failure:
            raise context.problem(answer, variable="mission_control_public_url", unit="mission-control-proxy")
    served = [answer for answer in answers if answer.status not in (403, 404)]
    if not served:
        return Verdict("closed", summary=f"{len(answers)} paths are kept to the deployment's own hosts")
    paths = ", ".join(urlsplit(answer.url).path for answer in served)
    return Verdict(
        "closed",
        FAIL,
        f"served to the outside: {paths}",
        cause="mission_control_closed_paths keeps them to the deployment's own hosts, and the proxy serves "
        "them to others.",
        remedy=f"location = /docs {{ return 404; }} and its like (nginx); ours: {OURS}.",
        kind="door_paths_open",
        cure=DELIBERATE,
        evidence=served[0].evidence(context.redactor),
    )


def judge_scheme(context: HttpContext, public: str, answer: Answer) -> Verdict:
    """An address that the backend makes itself says what it believes: a path with a slash too many."""
    if answer.failure or answer.status not in (301, 302, 307, 308):
        return Verdict("scheme", SKIP, f"nothing to see it by ({answer.status or 'no answer'})")
    target = answer.header("location")
    if not target.startswith("http") or origin_of(target) == public:
        return Verdict("scheme", summary="the backend knows the address that users use")
    named = origin_of(target)
    lost = named.startswith("http://") and urlsplit(named).hostname == urlsplit(public).hostname
    return Verdict(
        "scheme",
        FAIL,
        f"the backend believes to be {context.redactor.text(named)}",
        cause="The proxy does not say that users come by https: X-Forwarded-Proto is missing, or the backend "
        "does not believe this proxy."
        if lost
        else "The proxy does not hand the name on under which users ask (Host).",
        remedy="proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header Host $host; (nginx), "
        "http-request "
        f"set-header X-Forwarded-Proto https (HAProxy); ours: {OURS}. A proxy on another host has to be in "
        "FORWARDED_ALLOW_IPS (mission_control_additional_environment), too.",
        kind="door_scheme" if lost else "door_host",
        cure=DELIBERATE,
        evidence=answer.evidence(context.redactor),
    )


def judge_stream(stream: Stream, options: Mapping[str, Any]) -> Verdict:
    """Events come when they are made."""
    evidence = {
        "status": stream.status,
        "first_event_seconds": None if stream.first is None else round(stream.first, 2),
        "pieces": stream.pieces,
        "content_encoding": stream.headers.get("content-encoding", ""),
    }
    if stream.status in (401, 403, 404):
        return Verdict("stream", SKIP, f"no stream to listen to ({stream.status})", evidence=evidence)
    if stream.headers.get("content-encoding", "") not in ("", "identity"):
        return Verdict(
            "stream",
            FAIL,
            f"the stream is packed ({stream.headers['content-encoding']})",
            cause="The proxy packs text/event-stream: events wait until there is enough to pack.",
            remedy="Take text/event-stream out of gzip_types (nginx), compression type (HAProxy), "
            f"encode (Caddy); ours: {OURS}.",
            kind="door_stream_packed",
            cure=DELIBERATE,
            evidence=evidence,
        )
    if stream.status not in (0, 200):
        return Verdict(
            "stream",
            FAIL,
            f"the stream answered {stream.status}",
            cause="The proxy or the backend does not serve streams of events.",
            remedy="Look at the backend's journal, and at what the proxy does with /api/v1/agents/stream.",
            kind="door_stream_refused",
            evidence=evidence,
        )
    if stream.first is None:
        return Verdict(
            "stream",
            FAIL,
            f"no event within {options['stream_seconds']:g} s, and there was one to come",
            cause="The proxy keeps the stream's events until its buffer is full: pages learn of nothing.",
            remedy="proxy_buffering off; (nginx), flush_interval -1 (Caddy), no http-buffer-response "
            "(HAProxy), "
            f"no buffering middleware (Traefik); ours: {OURS}.",
            kind="door_stream_buffered",
            cure=DELIBERATE,
            evidence=evidence,
        )
    if stream.cut_after is not None:
        return Verdict(
            "stream",
            FAIL,
            f"the stream was cut after {stream.cut_after:.0f} s",
            cause="The proxy ends what is quiet for less than the 15 s between two pings, or was restarted.",
            remedy="proxy_read_timeout 90s; (nginx), timeout client and timeout server 90s (HAProxy): "
            "more than "
            "15 s.",
            kind="door_stream_cut",
            evidence=evidence,
        )
    return Verdict("stream", summary=f"the first event came after {stream.first:.2f} s", evidence=evidence)


def judge_body(status: int, headers: Mapping[str, str], body: bytes) -> Verdict:
    """A webhook of a megabyte reaches the product, whatever that says to it."""
    evidence = {"status": status, "content_type": headers.get("content-type", ""), "bytes": WEBHOOK_BYTES}
    if "x-request-id" in headers or b'"request_id"' in body:
        return Verdict("bodies", summary="a body of 1 MB reaches the product", evidence=evidence)
    return Verdict(
        "bodies",
        FAIL,
        f"a body of 1 MB is answered with {status} before it reaches the product",
        cause="The proxy takes no bodies as large as the product's webhooks (1 MB).",
        remedy="client_max_body_size 10m; (nginx), request_body max_size (Caddy), tune.bufsize and "
        "deny rules "
        f"(HAProxy), proxy_body_max of the role proxy; ours: {OURS}.",
        kind="door_body_refused",
        cure=DELIBERATE,
        evidence=evidence,
    )


def judge_forged(statuses: Sequence[int]) -> Verdict:
    """One client that claims to be many is still one to the product, which counts its logins."""
    evidence = {"statuses": {str(status): statuses.count(status) for status in sorted(set(statuses))}}
    if 429 in statuses:
        return Verdict("forged", summary="an address that a client claims is not believed", evidence=evidence)
    if set(statuses) != {401}:
        return Verdict("forged", SKIP, "the product does not count logins there", evidence=evidence)
    return Verdict(
        "forged",
        FAIL,
        f"{len(statuses)} failed logins as {len(statuses)} clients: an address that is claimed is believed",
        cause="The proxy hands X-Forwarded-For or Forwarded on as a client sends it. Anybody chooses "
        "his address, "
        "and with it his rate limits.",
        remedy='proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Forwarded ""; (nginx), '
        "http-request set-header X-Forwarded-For %[src] and del-header Forwarded (HAProxy), in place of "
        f"$proxy_add_x_forwarded_for and option forwardfor; ours: {OURS}.",
        kind="door_forwarded_believed",
        cure=DELIBERATE,
        evidence=evidence,
    )


def judge_past(open_urls: Sequence[str]) -> Verdict:
    """Nothing answers beside the door."""
    if not open_urls:
        return Verdict("past the door", summary="nothing else is reached from here")
    return Verdict(
        "past the door",
        FAIL,
        f"{', '.join(open_urls)} can be reached past the door",
        cause="Backend or frontend listens on an address that others reach: tokens can be sent without "
        "TLS, and "
        "X-Forwarded-For be forged.",
        remedy="Take mission_control_backend_bind and mission_control_frontend_bind out (they are 127.0.0.1 "
        "then) and deploy again. Where the door is on another host, a deployment closes these ports to "
        "everybody else (mission_control_firewall; with your own proxy mission_control_firewall_allowed).",
        kind="door_bypassed",
        cure=DELIBERATE,
        evidence={"open": open_urls},
    )


def judge_upgrade(path: str, status: int) -> Verdict:
    """A WebSocket is opened."""
    if status == 101:
        return Verdict("websocket", summary=f"{path} was opened")
    return Verdict(
        "websocket",
        FAIL,
        f"{path} answered {status} instead of opening a WebSocket",
        cause="The proxy does not hand Upgrade and Connection on, or nothing serves WebSockets there.",
        remedy="proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "
        '"upgrade"; (nginx). HAProxy, Caddy and Traefik do it by themselves.',
        kind="door_websocket",
        evidence={"status": status},
    )
