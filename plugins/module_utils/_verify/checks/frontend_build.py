# SPDX-License-Identifier: GPL-3.0-or-later
"""What was built into the frontend: the scripts of its page, and the address of the API in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from ..._application.components import PORTS
from ..._cures import DEPLOYMENT
from ..._host.written_addresses import in_url
from ..._http.browser_origin import origin_of
from ..._http.redirects import follow
from ..http_context import HttpContext
from ..verdict import FAIL, WARN, Verdict

JOURNAL = "journalctl _SYSTEMD_USER_UNIT=mission-control-frontend.service"
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


def scripts_of(context: HttpContext, url: str) -> list[str]:
    """The scripts of the page at an address, and the page."""
    page = context.client.get(f"{url}/", token="", then=follow)
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
            cure=DEPLOYMENT,
            evidence={**evidence, "expected": expected},
        )
    return Verdict("api_url", summary=f"built for {resolved}", evidence=evidence)
