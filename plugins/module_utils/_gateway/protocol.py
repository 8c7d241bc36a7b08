# SPDX-License-Identifier: GPL-3.0-or-later
"""Which OpenClaw gateway speaks which protocol, and whether a backend can talk to it.

The table is the only place of the collection that knows it. A backend offers a range of protocols while it
connects; a gateway accepts exactly its own one and answers anything else with "protocol mismatch".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

REFUSE = "refuse"
WARN = "warn"
OK = "ok"

# What the product speaks at the revision that the collection deploys by default: it offers 3 and nothing else
# (PROTOCOL_VERSION in backend/app/services/openclaw/gateway_rpc.py).
BACKEND_PROTOCOLS = (3, 3)
DEFAULT_VERSION = "2026.4.2"


@dataclass(frozen=True)
class Span:
    """Gateway versions, first and last included, that speak one protocol. `last` None: open end."""

    first: str
    last: str | None
    protocol: int
    source: str


SPANS = (
    # 2026.2.9 is the product's own minimum (GATEWAY_MIN_VERSION); users run it up to 2026.5.7.
    Span("2026.2.9", "2026.4.1", 3, "reported by users"),
    # Tried: connects with the product, and its handshake compares with 3.
    Span("2026.4.2", "2026.4.2", 3, "tried with this collection"),
    # crshdn/mission-control pull request 138 compared 2026.4.23 (3) with 2026.5.9-beta.1 (4).
    # openclaw/openclaw issue 83153: the mismatch begins with the update from 2026.5.7 to 2026.5.12.
    Span("2026.4.3", "2026.5.6", 3, "reported by users"),
    # Tried: connects with the product.
    Span("2026.5.7", "2026.5.7", 3, "tried with this collection"),
    # The betas of 2026.5.9 moved to 4 (same pull request). 2026.5.12 is the first stable one:
    # openclaw/openclaw issue 83153, itq5/OpenClaw-Admin issue 50, cisco-ai-defense/defenseclaw issue 272.
    Span("2026.5.9-beta.1", "2026.9.5", 4, "reported by users"),
    # Tried: answers the product with "protocol mismatch".
    Span("2026.9.6", "2026.9.6", 4, "tried with this collection"),
)

_VERSION = re.compile(r"^v?(\d{4})\.(\d{1,2})\.(\d{1,2})(?:-(?:(\d+)|(alpha|beta|rc)\.(\d+)))?$")
_STAGES = {"alpha": -3, "beta": -2, "rc": -1}


def parse_version(version: str) -> tuple[int, int, int, int, int] | None:
    """An OpenClaw version as something that sorts; None where it is none (a tag like "latest")."""
    match = _VERSION.match(version.strip())
    if match is None:
        return None
    year, month, day, revision, stage, number = match.groups()
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    # A pre-release comes before its release, a revision (2026.3.1-2) after it.
    return (int(year), int(month), int(day), _STAGES[stage] if stage else 0, int(number or revision or 0))


def _key(version: str) -> tuple[int, int, int, int, int]:
    key = parse_version(version)
    if key is None:
        raise ValueError(f"{version!r} is not an OpenClaw version")
    return key


def span_of(version: str) -> Span | None:
    """The span of the table that holds the version, or None."""
    key = _key(version)
    for span in SPANS:
        if _key(span.first) <= key and (span.last is None or key <= _key(span.last)):
            return span
    return None


def protocol_of(version: str) -> int | None:
    """The protocol that a gateway version speaks, None where nobody has told yet."""
    span = span_of(version)
    return span.protocol if span else None


def _offered(span: Span, protocols: tuple[int, int]) -> bool:
    """Whether a backend offers what these versions speak."""
    return protocols[0] <= span.protocol <= protocols[1]


def versions_for(protocols: tuple[int, int]) -> str:
    """The gateway versions that a backend can talk to, in words."""
    spans = [span for span in SPANS if _offered(span, protocols)]
    if not spans:
        return "no known version"
    return f"{spans[0].first} to {spans[-1].last or 'newest'}"


@dataclass(frozen=True)
class Finding:
    """What is to be said about a pair of gateway and backend."""

    level: str
    message: str = ""
    remedy: str = ""
    protocol: int | None = None


def check_pair(
    version: str, protocols: tuple[int, int] = BACKEND_PROTOCOLS, *, of_source: bool = False
) -> Finding:
    """Whether a gateway of this version and a backend that offers these protocols can talk.

    :param of_source: whether it is the backend's own source that says so; else a variable does.
    """
    spoken = f"{protocols[0]}" if protocols[0] == protocols[1] else f"{protocols[0]} to {protocols[1]}"
    if parse_version(version) is None:
        return Finding(
            REFUSE,
            f"{version!r} is not an exact OpenClaw version.",
            f"Name one version in the form YYYY.M.D, for example {DEFAULT_VERSION}: a tag such as latest may "
            "bring another protocol with every run.",
        )
    span = span_of(version)
    if span is None:
        newest = _key(SPANS[-1].last or SPANS[-1].first)
        where = "newer than" if _key(version) > newest else "not in"
        return Finding(
            WARN,
            f"Which protocol OpenClaw {version} speaks is not known: it is {where} the table of this "
            "collection.",
            f"Use a version that is known to work with the backend ({versions_for(protocols)}), or see "
            "that the connection comes about after the deployment.",
        )
    if not _offered(span, protocols):
        usual = span_of(DEFAULT_VERSION)
        example = f", for example {DEFAULT_VERSION}" if usual and _offered(usual, protocols) else ""
        return Finding(
            REFUSE,
            f"OpenClaw {version} speaks gateway protocol {span.protocol} ({span.source}), the backend speaks "
            f'{spoken}: the gateway would answer every connection with "protocol mismatch".',
            f"Deploy a gateway of {versions_for(protocols)}{example}; or "
            + (
                "another revision of the product: this one's source says what it speaks."
                if of_source
                else f"say in gateway_backend_protocol that this revision does speak {span.protocol}."
            ),
            span.protocol,
        )
    return Finding(OK, protocol=span.protocol)
