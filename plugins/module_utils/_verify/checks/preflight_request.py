# SPDX-License-Identifier: GPL-3.0-or-later
"""What a browser asks before a request to another origin, and whether the answer lets it in."""

from __future__ import annotations

from typing import Any

from ..._http.answer import Answer
from ..http_context import HttpContext
from ..verdict import FAIL, WARN, Verdict

REMEDY = "Set mission_control_cors_origins (the product's CORS_ORIGINS) to {wanted} and deploy again."


def _words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",") if word.strip()}


def _incomplete(
    origin: str, answer: Answer, method: str, headers: list[str], evidence: dict[str, Any]
) -> Verdict | None:
    """What a browser would miss although its origin is let in."""
    problems = []
    methods = _words(answer.header("access-control-allow-methods"))
    if method.lower() not in methods and "*" not in methods:
        problems.append(f"method {method}")
    missing = [
        header
        for header in headers
        if header.lower() not in _words(answer.header("access-control-allow-headers"))
        and ("*" not in answer.header("access-control-allow-headers") or header.lower() == "authorization")
    ]
    problems += [f"header {header}" for header in missing]
    if answer.header("access-control-allow-credentials").lower() != "true":
        problems.append("credentials")
    if problems:
        return Verdict(
            "preflight",
            FAIL,
            f"origin {origin} is allowed, but not {', '.join(problems)}",
            cause="A proxy answers the preflight in the backend's place, or its CORS settings were changed.",
            remedy="Let the backend answer OPTIONS requests itself: remove CORS headers from the proxy.",
            kind="cors_incomplete",
            evidence=evidence,
        )
    if "origin" not in _words(answer.header("vary")) and answer.header("access-control-allow-origin") != "*":
        return Verdict(
            "preflight",
            WARN,
            "the answer does not vary by origin",
            cause="Vary: Origin is missing: a cache may hand one origin's answer to another.",
            remedy="Let the proxy pass the backend's Vary header on.",
            kind="cors_vary_missing",
            evidence=evidence,
        )
    return None


def judge_preflight(
    context: HttpContext, origin: str, answer: Answer, method: str, headers: list[str]
) -> Verdict:
    """The preflight of an origin that must be allowed."""
    if answer.failure or answer.status >= 500 or answer.status in (401, 403, 404, 429):
        raise context.problem(answer)
    evidence = {**answer.evidence(context.redactor), "allow": allow(answer)}
    allowed = answer.header("access-control-allow-origin")
    credentials = answer.header("access-control-allow-credentials").lower()
    name = "preflight"
    if allowed == "*" and credentials == "true":
        return Verdict(
            name,
            FAIL,
            "allows every origin together with credentials",
            cause="CORS_ORIGINS, or a proxy in front of the backend, allows * with credentials: browsers "
            "refuse that, and any site could ask in the users' name if they did not.",
            remedy=REMEDY.format(wanted=f"the exact origins ({origin})"),
            kind="cors_wildcard",
            evidence=evidence,
        )
    if "," in allowed:
        return Verdict(
            name,
            FAIL,
            f"sends allow-origin more than once: {allowed}",
            cause="Both the backend and a proxy in front of it add CORS headers; browsers refuse two.",
            remedy="Let only the backend send CORS headers: remove them from the proxy.",
            kind="cors_doubled",
            evidence=evidence,
        )
    if allowed != origin and allowed != "*":
        return Verdict(
            name,
            FAIL,
            f"origin {origin} is not allowed ({answer.status})",
            cause=f"CORS_ORIGINS of the backend does not contain {origin}: browsers there cannot use the "
            "API.",
            remedy=REMEDY.format(wanted=f"a list with {origin}"),
            kind="cors_origin_missing",
            evidence=evidence,
        )
    if not 200 <= answer.status < 300:
        return Verdict(
            name,
            FAIL,
            f"preflight answered {answer.status}",
            cause="Method or headers of the preflight are refused, or a proxy does not hand OPTIONS on.",
            remedy="Let the proxy pass OPTIONS requests to the backend.",
            kind="cors_preflight_refused",
            evidence=evidence,
        )
    if verdict := _incomplete(origin, answer, method, headers, evidence):
        return verdict
    return Verdict(name, summary=f"origin {origin} is allowed", evidence=evidence)


def allow(answer: Answer) -> dict[str, str]:
    """What an answer says of origins, for the evidence."""
    wanted = "access-control-"
    found = {name.removeprefix(wanted): value for name, value in answer.headers.items() if wanted in name}
    if answer.header("vary"):
        found["vary"] = answer.header("vary")
    return found


def preflight(context: HttpContext, url: str, origin: str, method: str, headers: list[str]) -> Answer:
    """Ask as a browser does before the real request."""
    sent = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        sent["Access-Control-Request-Headers"] = ", ".join(headers)
    return context.client.request("OPTIONS", url, headers=sent, token="")
