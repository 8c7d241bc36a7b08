# SPDX-License-Identifier: GPL-3.0-or-later
"""The user interface as a browser meets it: page, assets, the API address built in, and whether it works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ..._application.components import PORTS
from ..._cures import DEPLOYMENT
from ..._host.addresses import url
from ..._http.answer import Answer
from ..._http.browser_origin import origin_of
from ..._http.redirects import follow
from ..._times.timestamps import timestamp
from ..http_context import HttpContext, OverHttp
from ..thresholds import judge
from ..verdict import FAIL, PASS, SKIP, WARN, Measure, Verdict, combine
from .frontend_build import AUTO, JOURNAL, assets_of, baked_api_url, judge_api_url, resolve_api_url
from .preflight_request import judge_preflight, preflight

# What every page of a user who has come in asks for.
MEMBER = "/api/v1/organizations/me/member"
# Why a host may not reach an address that browsers do reach: no DNS entry yet, a NAT that does not lead back.
OUT_OF_REACH = ("dns", "unreachable", "refused", "connect_timeout", "timeout")


def judge_page(context: HttpContext, page: str, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """One page of the user interface."""
    if not answer.ok:
        raise context.problem(answer, variable="mission_control_public_url", unit=JOURNAL)
    evidence = {**answer.evidence(context.redactor, sample=120), "bytes": len(answer.body)}
    if "html" not in answer.header("content-type") or b"<html" not in answer.body[:2000].lower():
        return Verdict(
            page,
            FAIL,
            f"{page} is not an HTML page ({answer.header('content-type') or 'no content type'})",
            cause="Another program answers in the frontend's place.",
            remedy="Check that mission_control_public_url names the frontend, and which process holds its "
            "port (ss -ltnp).",
            kind="not_html",
            evidence=evidence,
        )
    warn, crit = options["latency_warning"], options["latency_critical"]
    state = judge(answer.duration_ms, warn, crit)
    verdict = Verdict(page, state, f"{page} in {answer.duration_ms:.0f} ms", evidence=evidence)
    verdict.measures = [Measure(f"{page} time", round(answer.duration_ms, 1), "ms", str(warn), str(crit))]
    if state != PASS:
        verdict.kind = "slow"
        verdict.cause = "The frontend or the host is overloaded, or the way to it is slow."
        verdict.remedy = "See which phase takes the time (evidence) and the load of the host."
    return verdict


def judge_assets(context: HttpContext, answers: list[Answer]) -> Verdict:
    """Everything that the page loads."""
    if not answers:
        return Verdict(
            "assets",
            FAIL,
            "the page names no script at all",
            cause="The frontend was built wrongly, or something else answers in its place.",
            remedy="Deploy again so that the frontend is rebuilt.",
            kind="no_assets",
            cure=DEPLOYMENT,
        )
    broken = []
    for answer in answers:
        kind = answer.header("content-type")
        if not answer.ok:
            broken.append(f"{urlsplit(answer.url).path}: {answer.status or 'no answer'}")
        elif urlsplit(answer.url).path.endswith(".js") and "javascript" not in kind:
            broken.append(f"{urlsplit(answer.url).path}: {kind or 'no content type'} instead of JavaScript")
    if broken:
        return Verdict(
            "assets",
            FAIL,
            f"{len(broken)} of {len(answers)} assets are missing or wrong: {broken[0]}",
            cause="The page names files that are not served: files of the frontend's build are missing or "
            "were changed (configuration says so), the release was switched under the running server, or a "
            "proxy serves an old copy.",
            remedy="Deploy again, which puts missing files right. If all are there: restart "
            "mission-control-frontend, and clear the cache of any proxy in front of it.",
            kind="assets_broken",
            cure=DEPLOYMENT,
            evidence={"broken": broken[:20]},
        )
    return Verdict("assets", summary=f"{len(answers)} assets", evidence={"count": len(answers)})


def judge_certificate(answer: Answer, now: float, warn: str, crit: str) -> Verdict:
    """How long the page's certificate is still valid."""
    text = (answer.certificate or {}).get("notAfter")
    expires = timestamp(parsedate_to_datetime(text.replace("GMT", "+0000")).isoformat()) if text else None
    if expires is None:
        return Verdict("certificate", SKIP, "the certificate was not looked at (validate_certs is off)")
    days = (expires - now) / 86400
    state = judge(days, warn, crit)
    verdict = Verdict("certificate", state, f"the certificate is valid for {days:.0f} more days")
    verdict.evidence = {"not_after": text}
    verdict.measures = [Measure("certificate days", round(days, 1), "d", warn, crit)]
    if state != PASS:
        verdict.kind = "certificate_expires"
        verdict.cause = f"The certificate expires on {text}."
        verdict.remedy = "Renew it and reload the server that presents it; see why automatic renewal did not."
    return verdict


class _Api:
    """The API that a page uses, asked as a browser with that page asks it."""

    def __init__(self, context: HttpContext, page: str, base: str, options: Mapping[str, Any]) -> None:
        self._context, self._origin, self._base = context, origin_of(page), base
        self._near, self._probe = options["backend_url"].rstrip("/"), options["probe"]

    def _ask(self, ask: Callable[[str], Answer]) -> tuple[Answer, Answer]:
        """What the API answers, and what the backend does that may stand for it."""
        answer = ask(self._base)
        if self._near and answer.failure is not None and answer.failure.kind in OUT_OF_REACH:
            return answer, ask(self._near)
        return answer, answer

    def judge(self) -> Verdict:
        """Whether a backend answers there."""
        context, headers = self._context, {"Origin": self._origin}
        far, answer = self._ask(
            lambda place: context.client.request("GET", place + self._probe, headers=headers, token="")
        )
        # Without a token that is what a backend says; a browser sends one.
        if not answer.ok and answer.status not in (401, 403):
            problem = context.problem(far, variable="mission_control_api_url")
            problem.summary = f"the API that the page uses does not work: {problem.summary}"
            raise problem
        context.parse(answer)
        if answer is not far:
            return _out_of_reach(context, self._base, self._near, far)
        return Verdict("api", summary=f"{self._base} answers", evidence=answer.evidence(context.redactor))

    def allowed(self) -> Verdict:
        """Whether it allows the page's origin."""
        if self._origin == origin_of(self._base):
            return Verdict("cors", summary="page and API have the same origin: nothing to allow")
        _far, answer = self._ask(
            lambda place: preflight(self._context, f"{place}{MEMBER}", self._origin, "GET", ["authorization"])
        )
        verdict = judge_preflight(self._context, self._origin, answer, "GET", ["authorization"])
        verdict.name = "cors"
        return verdict


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """The page first, then what it needs."""
    usual = url("", PORTS["frontend"])
    fetched = (options["frontend_url"] or context.common["public_url"] or usual).rstrip("/")
    public = (context.common["public_url"] or fetched).rstrip("/")

    def get(url: str) -> Answer:
        return context.client.get(url, token="", then=follow)

    pages = list(options["pages"])
    answers = dict(
        zip(pages, context.parallel([partial(get, fetched + page) for page in pages]), strict=True)
    )
    verdicts = context.parts(
        [(page, partial(judge_page, context, page, answers[page], options)) for page in pages]
    )
    first = answers[pages[0]]
    if not first.ok or "html" not in first.header("content-type"):
        rest = Verdict("assets", SKIP, "not looked at, because the page is not served")
        return _combine(context, [*verdicts, rest])

    links = assets_of(first.text, first.url)
    assets = context.parallel([partial(get, link) for link in links])
    scripts = [answer.text for answer in assets if answer.ok and urlsplit(answer.url).path.endswith(".js")]
    baked = baked_api_url([*scripts, first.text])

    api = _Api(context, public, resolve_api_url(baked or AUTO, public), options)
    works = [
        ("assets", lambda: judge_assets(context, assets)),
        ("api_url", lambda: judge_api_url(baked, public, options["api_url"])),
        ("api", api.judge),
        ("cors", api.allowed),
    ]
    if urlsplit(fetched).scheme == "https":
        warn, crit = options["certificate_days_warning"], options["certificate_days_critical"]
        works.append(("certificate", lambda: judge_certificate(first, context.clock.now(), warn, crit)))
    return _combine(context, [*verdicts, *context.parts(works)])


def _out_of_reach(context: HttpContext, base: str, near: str, far: Answer) -> Verdict:
    """The backend is well, and this host alone cannot say whether users reach it."""
    return Verdict(
        "api",
        WARN,
        f"{base} is out of reach from {context.where}; the backend answers at {near}",
        cause="The name leads elsewhere or nowhere as yet, or the way from this host to its own public "
        "address is closed (NAT).",
        remedy="Look from where users are: playbooks/verify.yml does from the controller. Add the name to "
        "DNS, or to /etc/hosts of this host.",
        kind="out_of_reach",
        evidence=far.evidence(context.redactor),
    )


def _combine(context: HttpContext, verdicts: list[Verdict]) -> Verdict:
    return combine(context.name or "frontend", verdicts)
