# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The user interface as a browser meets it: page, assets, the API address built in, and whether it works."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from ..._application.components import PORTS
from ..._durations import timestamp
from ..._host.addresses import in_url, url
from ..._http import Answer, origin_of
from ..context import Context
from ..thresholds import judge
from ..verdict import FAIL, PASS, SKIP, WARN, Measure, Verdict, combine
from .cors import judge_preflight, preflight

JOURNAL = "journalctl --user -u mission-control-frontend"
AUTO = "auto"
# The product writes `process.env.NEXT_PUBLIC_API_URL.trim()` and compares it with "auto"; the build puts the
# value in its place.
_TRIMMED = re.compile(r"""["'`]([^"'`\\\s]*)["'`]\??\.trim\(\)""")
_NEAR_AUTO = re.compile(r"""["'`](https?://[^"'`\\\s]+)["'`].{0,300}?["'`]auto["'`]""", re.DOTALL)
_UNSET = re.compile(r"""env\.NEXT_PUBLIC_API_URL\b""")


class _Links(HTMLParser):
    """Scripts and style sheets of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script" and values.get("src"):
            self.found.append(str(values["src"]))
        if tag == "link" and values.get("href"):
            kinds = (values.get("rel") or "").lower().split()
            if "stylesheet" in kinds or (
                "preload" in kinds and values.get("as") in ("script", "style", "font")
            ):
                self.found.append(str(values["href"]))


def assets_of(html: str, base: str) -> list[str]:
    """The addresses of a page's own scripts and style sheets, each once."""
    parser = _Links()
    parser.feed(html)
    absolute = [urljoin(base, link) for link in parser.found]
    own = origin_of(base)
    return list(dict.fromkeys(link for link in absolute if origin_of(link) == own))


def baked_api_url(scripts: Iterable[str]) -> str | None:
    """What NEXT_PUBLIC_API_URL was when the frontend was built; None where no script tells."""
    fallback = None
    for text in scripts:
        for match in _TRIMMED.finditer(text):
            value = match[1]
            if value.lower() == AUTO or value.startswith(("http://", "https://")):
                near = text[match.end() : match.end() + 300]
                if AUTO in near.lower():
                    return AUTO if value.lower() == AUTO else value
                fallback = fallback or value
        near_auto = _NEAR_AUTO.search(text)
        if near_auto:
            return near_auto[1]
        if _UNSET.search(text):
            fallback = fallback or AUTO
    return fallback


def scripts_of(context: Context, url: str) -> list[str]:
    """The scripts of the page at an address, and the page."""
    page = context.client.get(f"{url}/", token="", follow=3)
    if not page.ok:
        raise context.problem(page, variable="mission_control_public_url", unit=JOURNAL)
    links = [link for link in assets_of(page.text, page.url) if urlsplit(link).path.endswith(".js")]
    answers = context.parallel([partial(context.client.get, link, token="") for link in links])
    return [*(answer.text for answer in answers if answer.ok), page.text]


def resolve_api_url(baked: str, page: str) -> str:
    """The address that a browser with that page uses: `auto` is the page's own host at port 8000."""
    if baked.lower() != AUTO:
        return baked.rstrip("/")
    parts = urlsplit(page)
    host = in_url(parts.hostname or "")
    return f"{'https' if parts.scheme == 'https' else 'http'}://{host}:{PORTS['backend']}"


def judge_page(context: Context, page: str, answer: Answer, options: Mapping[str, Any]) -> Verdict:
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


def judge_assets(context: Context, answers: list[Answer]) -> Verdict:
    """Everything that the page loads."""
    if not answers:
        return Verdict(
            "assets",
            FAIL,
            "the page names no script at all",
            cause="The frontend was built wrongly, or something else answers in its place.",
            remedy="Deploy again so that the frontend is rebuilt.",
            kind="no_assets",
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
            cause="The static files do not belong to the running server: the release was switched under "
            "it, or a proxy serves an old copy.",
            remedy="Restart mission-control-frontend, and clear the cache of any proxy in front of it.",
            kind="assets_broken",
            evidence={"broken": broken[:20]},
        )
    return Verdict("assets", summary=f"{len(answers)} assets", evidence={"count": len(answers)})


def judge_api_url(baked: str | None, page: str, expected: str) -> Verdict:
    """The API address built into the scripts."""
    if baked is None:
        return Verdict(
            "api_url",
            WARN,
            "no script tells which API address was built in",
            cause="The scripts of the first page do not contain the address: the frontend is of another "
            "version, or was built with another bundler.",
            remedy="Look into the page's scripts for the address; waive frontend.api_url if it is right.",
            kind="api_url_unknown",
        )
    resolved = resolve_api_url(baked, page)
    evidence = {"built_in": baked, "resolved": resolved, "page": page}
    if urlsplit(page).scheme == "https" and urlsplit(resolved).scheme == "http":
        return Verdict(
            "api_url",
            FAIL,
            f"the page is https but its API address is {resolved}",
            cause="Browsers refuse plain http requests of an https page (mixed content).",
            remedy="Set mission_control_api_url to the https address of the API and deploy again; the "
            "frontend is rebuilt with it.",
            kind="mixed_content",
            evidence=evidence,
        )
    if expected and resolve_api_url(expected, page) != resolved:
        return Verdict(
            "api_url",
            FAIL,
            f"built for the API at {resolved}, expected {resolve_api_url(expected, page)}",
            cause="NEXT_PUBLIC_API_URL is fixed when the frontend is built, and it was built with another "
            "address.",
            remedy="Deploy again with the right mission_control_api_url: the frontend is rebuilt. "
            "Restarting does not help.",
            kind="api_url_differs",
            evidence={**evidence, "expected": expected},
        )
    return Verdict("api_url", summary=f"built for {resolved}", evidence=evidence)


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


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """The page first, then what it needs."""
    usual = url("", PORTS["frontend"])
    fetched = (options["frontend_url"] or context.common["public_url"] or usual).rstrip("/")
    public = (context.common["public_url"] or fetched).rstrip("/")

    def get(url: str) -> Answer:
        return context.client.get(url, token="", follow=3)

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

    def api() -> Verdict:
        base = resolve_api_url(baked or AUTO, public)
        answer = context.client.request(
            "GET", base + options["probe"], headers={"Origin": origin_of(public)}, token=""
        )
        if not answer.ok:
            problem = context.problem(answer, variable="mission_control_api_url")
            problem.summary = f"the API that the page uses does not work: {problem.summary}"
            raise problem
        context.parse(answer)
        return Verdict("api", summary=f"{base} answers", evidence=answer.evidence(context.redactor))

    def allowed() -> Verdict:
        base = resolve_api_url(baked or AUTO, public)
        origin = origin_of(public)
        if origin == origin_of(base):
            return Verdict("cors", summary="page and API have the same origin: nothing to allow")
        answer = preflight(
            context, f"{base}/api/v1/organizations/me/member", origin, "GET", ["authorization"]
        )
        verdict = judge_preflight(context, origin, answer, "GET", ["authorization"])
        verdict.name = "cors"
        return verdict

    works = [
        ("assets", lambda: judge_assets(context, assets)),
        ("api_url", lambda: judge_api_url(baked, public, options["api_url"])),
        ("api", api),
        ("cors", allowed),
    ]
    if urlsplit(fetched).scheme == "https":
        warn, crit = options["certificate_days_warning"], options["certificate_days_critical"]
        works.append(("certificate", lambda: judge_certificate(first, context.clock.now(), warn, crit)))
    return _combine(context, [*verdicts, *context.parts(works)])


def _combine(context: Context, verdicts: list[Verdict]) -> Verdict:
    return combine(context.name or "frontend", verdicts)
