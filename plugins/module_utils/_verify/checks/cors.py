# SPDX-License-Identifier: GPL-3.0-or-later
"""CORS as the product's own users meet it: allowed origins are let in, foreign ones are not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..._application.door_access import CLOSED, REFUSAL
from ..._http.answer import Answer
from ..._http.browser_origin import origin_of
from ..http_context import HttpContext, OverHttp
from ..verdict import FAIL, SKIP, Verdict, combine
from .preflight_request import REMEDY, allow, judge_preflight, preflight


def judge_simple(context: HttpContext, origin: str, answer: Answer) -> Verdict:
    """A plain GET from an origin that must be allowed."""
    if answer.header(REFUSAL) == CLOSED:
        return Verdict("simple", SKIP, "the front door keeps health paths to its own hosts")
    if answer.failure or answer.status >= 400:
        raise context.problem(answer)
    evidence = {**answer.evidence(context.redactor), "allow": allow(answer)}
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


def judge_foreign(context: HttpContext, origin: str, preflight: Answer, simple: Answer) -> Verdict:
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
                evidence={**answer.evidence(context.redactor), "allow": allow(answer)},
            )
    return Verdict(
        name,
        summary=f"the foreign origin is refused ({preflight.status})",
        evidence={"allow": allow(preflight)},
    )


def expected_origins(context: HttpContext, options: Mapping[str, Any]) -> list[str]:
    """The origins named, and that of the user interface."""
    origins = [origin.rstrip("/") for origin in options["origins"]]
    public = context.common["public_url"]
    if public and origin_of(public) not in origins:
        origins.insert(0, origin_of(public))
    return origins


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
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
