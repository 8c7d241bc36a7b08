# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""CORS as the product's own users meet it: allowed origins are let in, foreign ones are not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..._http import Answer, origin_of
from ..context import Context
from ..verdict import FAIL, SKIP, WARN, Verdict, combine

REMEDY = "Set mission_control_cors_origins (the product's CORS_ORIGINS) to {wanted} and deploy again."


def _words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",") if word.strip()}


def judge_preflight(
    context: Context, origin: str, answer: Answer, method: str, headers: list[str]
) -> Verdict:
    """The preflight of an origin that must be allowed."""
    if answer.failure or answer.status >= 500 or answer.status in (401, 403, 404, 429):
        raise context.problem(answer)
    evidence = {**answer.evidence(context.redactor), "allow": _allow(answer)}
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
    if credentials != "true":
        problems.append("credentials")
    if problems:
        return Verdict(
            name,
            FAIL,
            f"origin {origin} is allowed, but not {', '.join(problems)}",
            cause="A proxy answers the preflight in the backend's place, or its CORS settings were changed.",
            remedy="Let the backend answer OPTIONS requests itself: remove CORS headers from the proxy.",
            kind="cors_incomplete",
            evidence=evidence,
        )
    if "origin" not in _words(answer.header("vary")) and allowed != "*":
        return Verdict(
            name,
            WARN,
            "the answer does not vary by origin",
            cause="Vary: Origin is missing: a cache may hand one origin's answer to another.",
            remedy="Let the proxy pass the backend's Vary header on.",
            kind="cors_vary_missing",
            evidence=evidence,
        )
    return Verdict(name, summary=f"origin {origin} is allowed", evidence=evidence)


def judge_simple(context: Context, origin: str, answer: Answer) -> Verdict:
    """A plain GET from an origin that must be allowed."""
    if answer.failure or answer.status >= 400:
        raise context.problem(answer)
    evidence = {**answer.evidence(context.redactor), "allow": _allow(answer)}
    allowed = answer.header("access-control-allow-origin")
    if allowed not in (origin, "*"):
        return Verdict(
            "simple",
            FAIL,
            f"a plain GET does not allow {origin}",
            cause=f"The backend's CORS_ORIGINS does not contain {origin}, or a proxy removes the header.",
            remedy=REMEDY.format(wanted=f"a list with {origin}"),
            kind="cors_origin_missing",
            evidence=evidence,
        )
    if allowed == "*" and answer.header("access-control-allow-credentials").lower() == "true":
        return Verdict(
            "simple",
            FAIL,
            "a plain GET allows every origin together with credentials",
            cause="CORS_ORIGINS contains *.",
            remedy=REMEDY.format(wanted=f"the exact origins ({origin})"),
            kind="cors_wildcard",
            evidence=evidence,
        )
    return Verdict("simple", summary="allowed", evidence=evidence)


def judge_foreign(context: Context, origin: str, preflight: Answer, simple: Answer) -> Verdict:
    """An origin that must be refused."""
    for answer in (preflight, simple):
        if answer.failure or answer.status >= 500:
            raise context.problem(answer)
    name = f"foreign {origin}"
    for what, answer in (("preflight", preflight), ("a plain GET", simple)):
        allowed = answer.header("access-control-allow-origin")
        if allowed in ("*", origin):
            return Verdict(
                name,
                FAIL,
                f"the foreign origin {origin} is allowed ({what})",
                cause="CORS_ORIGINS contains *, or a proxy allows whatever origin asks.",
                remedy="Set mission_control_cors_origins to the user interface's exact origins and deploy "
                "again; remove CORS headers from the proxy.",
                kind="cors_foreign_allowed",
                evidence={**answer.evidence(context.redactor), "allow": _allow(answer)},
            )
    return Verdict(
        name,
        summary=f"the foreign origin is refused ({preflight.status})",
        evidence={"allow": _allow(preflight)},
    )


def _allow(answer: Answer) -> dict[str, str]:
    wanted = "access-control-"
    found = {name.removeprefix(wanted): value for name, value in answer.headers.items() if wanted in name}
    if answer.header("vary"):
        found["vary"] = answer.header("vary")
    return found


def expected_origins(context: Context, options: Mapping[str, Any]) -> list[str]:
    """The origins named, and that of the user interface."""
    origins = [origin.rstrip("/") for origin in options["origins"]]
    public = context.common["public_url"]
    if public and origin_of(public) not in origins:
        origins.insert(0, origin_of(public))
    return origins


def preflight(context: Context, url: str, origin: str, method: str, headers: list[str]) -> Answer:
    """Ask as a browser does before the real request."""
    sent = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        sent["Access-Control-Request-Headers"] = ", ".join(headers)
    return context.client.request("OPTIONS", url, headers=sent, token="")


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """Each origin is a part."""
    origins = expected_origins(context, options)
    path, method, headers = options["path"], options["method"], list(options["request_headers"])

    def allowed(origin: str) -> Verdict:
        answers = context.parallel(
            [
                lambda: preflight(context, path, origin, method, headers),
                lambda: context.client.get("/healthz", headers={"Origin": origin}, token=""),
            ]
        )
        return combine(
            origin,
            [
                context.guard(
                    "preflight", lambda: judge_preflight(context, origin, answers[0], method, headers)
                ),
                context.guard("simple", lambda: judge_simple(context, origin, answers[1])),
            ],
            f"origin {origin} is allowed",
        )

    def foreign(origin: str) -> Verdict:
        answers = context.parallel(
            [
                lambda: preflight(context, path, origin, method, []),
                lambda: context.client.get("/healthz", headers={"Origin": origin}, token=""),
            ]
        )
        return judge_foreign(context, origin, answers[0], answers[1])

    works = [(origin, partial(allowed, origin)) for origin in origins]
    works += [(f"foreign {origin}", partial(foreign, origin)) for origin in options["foreign_origins"]]
    verdict = context.each("cors", works)
    if not origins:
        verdict.checks.append(
            Verdict(
                "origins",
                SKIP,
                "no origin to expect: give public_url (mission_control_public_url) or origins",
            )
        )
    return verdict
