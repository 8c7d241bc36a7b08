# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways as the backend sees them. The answer is 200 even when one is down: the verdict is inside."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..._application.components import service_unit
from ..._cures import DECISION, DEPLOYMENT, WAITING, Cure, start
from ..._host.symptoms import Symptom, recognize
from ..asking_root import AskingRoot
from ..context import Problem
from ..http_context import HttpContext, OverHttp
from ..thresholds import judge
from ..verdict import FAIL, PASS, WARN, Measure, Verdict
from . import api
from .dialect import dialect
from .gateway_targets import Target, nothing_bound, targets
from .through_gateway import ask_gateway

# What the backend says in `error`.
ERRORS: tuple[Symptom, ...] = (
    # First: their texts end in a line of _ssl.c, whose number may be that of a closing code.
    Symptom(
        pattern=re.compile(r"(?i)(self.signed certificate|unable to get (local )?issuer certificate)"),
        kind="gateway_tls",
        cause="The backend does not trust the authority that signed the gateway's certificate.",
        remedy="Name a file with the authority's certificate on the backend's host in "
        "mission_control_gateway_ca_path and deploy again, or add the authority to those of the system.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)certificate (has expired|is not yet valid)"),
        kind="gateway_tls",
        cause="The gateway's certificate has expired or is not valid yet, or the clock of its backend is "
        "off.",
        remedy="Renew the certificate and deploy again, which restarts the gateway with it; check the clock "
        "(timedatectl).",
    ),
    Symptom(
        pattern=re.compile(r"(?i)(hostname|IP address) mismatch|certificate is not valid for"),
        kind="gateway_tls",
        cause="The gateway's certificate is made out for another name than the one in its URL.",
        remedy="Register the gateway under the name in its certificate (mission_control_gateway_url), or "
        "issue a certificate for the name or address in the URL.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)wrong.version.number|record layer failure"),
        kind="gateway_tls",
        cause="The gateway is registered with a wss:// address, but speaks no TLS there.",
        remedy="Switch on gateway.tls in mission_control_gateway_configuration, or register a ws:// address.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)certificate|\bssl\b|\btls"),
        kind="gateway_tls",
        cause="TLS with the gateway fails, for the reason that the error names.",
        remedy="Correct the gateway's certificate or that of its authority; on the backend's host, "
        "openssl s_client -connect HOST:PORT shows both.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)valid URI"),
        kind="gateway_url",
        cause="Its URL is not the address of a gateway.",
        remedy="Correct its URL in the user interface under Gateways: ws://host:port or wss://host:port.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)starting|retry shortly|not ready|1012|service restart"),
        kind="gateway_starting",
        cause="The gateway has just been started and takes no connections yet.",
        remedy="Wait some seconds (deadline).",
        cure=WAITING,
    ),
    Symptom(
        pattern=re.compile(r"(?i)pairing"),
        kind="gateway_pairing",
        cause="The gateway does not know the backend's device: pairing is required.",
        remedy="Approve the device on the gateway (openclaw devices list, openclaw devices approve), or "
        "deploy the role gateway, which pairs it. Was the identity file of the backend "
        "(OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH) lost, the device must be paired again.",
        cure=DEPLOYMENT,
    ),
    Symptom(
        pattern=re.compile(r"(?i)protocol"),
        kind="gateway_protocol",
        cause="Gateway and backend speak different protocols: their versions do not fit.",
        remedy="Deploy a gateway version that fits the backend (mission_control_gateway_version; OpenClaw "
        "2026.4.2 fits the default revision).",
    ),
    Symptom(
        pattern=re.compile(r"(?i)auth|unauthori[sz]ed|forbidden|token|scope|\b40[13]\b|1008"),
        kind="gateway_token",
        cause="The gateway refuses the token with which it is registered.",
        remedy="Deploy again so that the registration gets the gateway's token (OPENCLAW_GATEWAY_TOKEN), "
        "or correct it in the user interface under Gateways.",
        cure=DEPLOYMENT,
    ),
    Symptom(
        pattern=re.compile(r"(?i)refused|Errno 111"),
        kind="gateway_down",
        cause="Nothing listens at the gateway's address: the gateway is stopped, or bound to another "
        "address.",
        remedy="Start it (systemctl --user start openclaw-gateway on the gateway's host); compare its port "
        "and bind address with the URL it is registered with.",
        cure=start(service_unit("gateway")),
    ),
    Symptom(
        pattern=re.compile(r"(?i)name or service|getaddrinfo|resolve|Errno -[235]|nodename"),
        kind="gateway_dns",
        cause="The host name in the gateway's URL cannot be resolved by the backend's host.",
        remedy="Correct the URL of the gateway, or make its name known to the backend's host.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)time[d]? ?out"),
        kind="gateway_timeout",
        cause="The gateway takes connections but does not answer in time, or a firewall drops them.",
        remedy="Look at the gateway's journal and load; check the firewall between backend and gateway.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)no route|unreachable|Errno (101|113)"),
        kind="gateway_unreachable",
        cause="The backend's host has no route to the gateway, or a firewall rejects it.",
        remedy="Check routes and firewall between backend and gateway.",
    ),
    Symptom(
        pattern=re.compile(
            r"(?i)invalid status|HTTP 4|HTTP 5|did not receive a valid|handshake|1006|closed|reset"
        ),
        kind="gateway_handshake",
        cause="What listens at the gateway's address does not complete the WebSocket handshake.",
        remedy="Check that the URL names the gateway (ws:// or wss://, port 18789), and that a proxy in "
        "between passes WebSockets on.",
    ),
)


def classify(error: str) -> tuple[str, str, str, Cure]:
    """Kind, cause, remedy and cure of what the backend says about its gateway."""
    if found := recognize(error, ERRORS, {}):
        return found.kind, found.cause, found.remedy, found.cure
    return (
        "gateway_failed",
        "The backend cannot use the gateway, for a reason that this collection does not know.",
        "Look at the error in the evidence, at the backend's and at the gateway's journal.",
        DECISION,
    )


def judge_status(body: Any, name: str, options: Mapping[str, Any]) -> Verdict:
    """What is inside of the 200."""
    if not isinstance(body, Mapping) or not isinstance(body.get("connected"), bool):
        raise Problem(
            "unexpected_shape",
            "the status does not say whether the gateway is connected",
            cause="The backend is of a version whose answers have another shape.",
            remedy="Compare mission_control_revision with the versions that this collection supports.",
        )
    main = body.get("main_session")
    evidence: dict[str, Any] = {
        "connected": body["connected"],
        "gateway_url": body.get("gateway_url"),
        "error": body.get("error"),
        "sessions_count": body.get("sessions_count"),
        "main_session": main.get("label") if isinstance(main, Mapping) else None,
    }
    url = body.get("gateway_url") or "the gateway"
    if not body["connected"]:
        error = str(body.get("error") or "no reason given")
        kind, cause, remedy, cure = classify(error)
        summary = f"{url}: not connected: {error}"
        return Verdict(
            name, FAIL, summary, cause=cause, remedy=remedy, kind=kind, cure=cure, evidence=evidence
        )
    count = body.get("sessions_count")
    count = count if isinstance(count, int) else len(body.get("sessions") or [])
    warn, crit = options["sessions_warning"], options["sessions_critical"]
    verdict = Verdict(
        name, judge(count, warn, crit), f"{url}: connected, {count} sessions", evidence=evidence
    )
    verdict.measures = [Measure(f"{name} sessions", float(count), "", warn, crit)]
    if verdict.state != PASS:
        verdict.kind = "session_count"
        verdict.summary = f"{url}: {count} sessions, which is outside of the expected range"
        verdict.cause = "Agents have no session, or more sessions were opened than expected."
        verdict.remedy = "Look at the sessions check; adjust sessions_warning and sessions_critical."
        return verdict
    listed = body.get("sessions")
    if isinstance(listed, list) and len(listed) != count:
        verdict.state, verdict.kind = WARN, "session_count"
        verdict.summary = f"{url}: says {count} sessions but lists {len(listed)}"
        verdict.cause = "The gateway's count and list differ: sessions were opened or closed in between."
        verdict.remedy = "Run the check again; if it stays so, restart the gateway."
    elif body.get("main_session_error"):
        verdict.state, verdict.kind = WARN, "gateway_main_session"
        verdict.summary = f"{url}: connected, but its main session fails: {body['main_session_error']}"
        verdict.cause = "The gateway could not open the session of its own agent."
        verdict.remedy = "Look at the gateway's journal; provision its agent again from the user interface."
    elif not main:
        verdict.state, verdict.kind = WARN, "gateway_main_session"
        verdict.summary = f"{url}: connected, but it has no main session"
        verdict.cause = "The gateway's own agent has not been provisioned."
        verdict.remedy = "Provision the gateway's agent from the user interface."
    return verdict


def named(context: HttpContext, options: Mapping[str, Any]) -> dict[str, str | None]:
    """How the backend is asked for the gateway that the options name.

    The product takes a token in the query string only, which the backend's access log repeats. A board that
    is bound to the same gateway with the same token asks the same without it.
    """
    url, token = options["gateway_url"], options["gateway_token"]
    if token and not dialect(context).singular:
        with contextlib.suppress(Problem):
            gateways = api.pages(context, "/api/v1/gateways")
            context.redactor.add(*(str(gateway.get("token") or "") for gateway in gateways))
            same = {
                str(gateway.get("id"))
                for gateway in gateways
                if gateway.get("url") == url
                and gateway.get("token") == token
                and bool(gateway.get("disable_device_pairing")) is options["disable_device_pairing"]
                and bool(gateway.get("allow_insecure_tls")) is options["allow_insecure_tls"]
            }
            for board in api.boards(context) if same else []:
                if str(board.get("gateway_id")) in same:
                    return {"board_id": str(board.get("id"))}
    return {
        "gateway_url": url,
        "gateway_token": token or None,
        "gateway_disable_device_pairing": str(options["disable_device_pairing"]).lower(),
        "gateway_allow_insecure_tls": str(options["allow_insecure_tls"]).lower(),
    }


@AskingRoot
@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """One part for each board that has a gateway, or for the gateway named."""
    context.redactor.add(options["gateway_token"])
    spoken = dialect(context)
    if options["gateway_url"]:
        given = {name: value for name, value in named(context, options).items() if value is not None}
        asked = [Target("gateway", tuple(given.items()))]
    else:
        found = targets(context, options)
        if not found:
            problem = nothing_bound()
            if options["required"]:
                problem.state = FAIL
            raise problem
        asked = found

    def status(target: Target) -> Verdict:
        def ask() -> Any:
            return context.fetch(f"{spoken.prefix}/status", dict(target.parameters))

        # The backend connects to the gateway while it answers: asked once for all boards that share one.
        body = context.once(f"status {target.connection}", lambda: ask_gateway(context, target, ask))
        return judge_status(body, target.name, options)

    return context.each("gateway", [(target.name, partial(status, target)) for target in asked])
