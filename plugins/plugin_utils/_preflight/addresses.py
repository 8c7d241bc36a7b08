# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the addresses that users, browsers and agents use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...module_utils._host import reachable as _reachable
from .model import PREFIX, Context, Problem

# --- addresses -----------------------------------------------------------------------------------


def _url_faults(url: str, schemes: tuple[str, ...] = ("http", "https"), *, origin: bool = False) -> str:
    """What is wrong with an address; empty when nothing is."""
    if url != url.strip() or any(character.isspace() for character in url):
        return "holds blanks"
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError:
        return "is not a valid address (look at the port and at brackets)"
    if parts.scheme not in schemes:
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        return f"is not absolute: it has to start with {wanted}"
    if not host:
        return "names no host"
    if port == 0:
        return "has the port 0"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return "has a query or a fragment"
    if origin and parts.path == "/":
        return "ends with a slash, and an origin is compared to the letter"
    if origin and parts.path:
        return f"has the path {parts.path}, and an origin has none"
    if origin and (host != host.lower() or parts.netloc != parts.netloc.lower()):
        return "has capital letters, and browsers send the host in lower case"
    if origin and port == {"http": 80, "https": 443}[parts.scheme]:
        return f"names the default port {port}, which browsers leave out"
    return ""


def public_url(context: Context) -> Iterator[Problem]:
    if not context.runs("backend", "frontend", "worker") or f"{PREFIX}_public_url" in context.undefined:
        return
    variable, url = f"{PREFIX}_public_url", str(context.get("public_url"))
    if not url:
        yield Problem(
            "public_url",
            variable,
            message="is not set",
            remedy="give the address that users open in their browsers, for example "
            "https://mission-control.example.com",
        )
    elif fault := _url_faults(url, origin=True):
        yield Problem(
            "public_url",
            variable,
            message=fault,
            remedy="give scheme and host only, and a port where it is not the usual one, such as https://host",
            value=url,
        )


def binds(context: Context) -> Iterator[Problem]:
    for component in ("backend", "frontend"):
        address = str(context.get(f"{component}_bind"))
        if context.runs(component) and not _reachable.is_address(address):
            yield Problem(
                "binds",
                f"{PREFIX}_{component}_bind",
                message="is not a valid address to listen on",
                remedy="give an IPv4 or IPv6 address of the host, 0.0.0.0 for all of IPv4, or :: for all "
                "of both",
                value=address,
            )


def api_url(context: Context) -> Iterator[Problem]:
    variable, url = f"{PREFIX}_api_url", str(context.get("api_url"))
    if not url or not context.runs("backend", "frontend", "worker"):
        return
    if fault := _url_faults(url):
        yield Problem(
            "api_url",
            variable,
            message=fault,
            remedy="give an absolute address that browsers, agents and gateways reach, such as "
            "http://host:8000 (it becomes BASE_URL)",
            value=url,
        )
        return
    public = str(context.get("public_url"))
    if (
        public
        and not _url_faults(public)
        and _reachable.is_this_host(url)
        and not _reachable.is_this_host(public)
    ):
        yield Problem(
            "api_url",
            variable,
            message="is reachable on the host itself only, and users' browsers have to reach it",
            remedy="give the host's name as users know it",
            value=url,
        )


def cors_origins(context: Context) -> Iterator[Problem]:
    variable = f"{PREFIX}_cors_origins"
    given = context.get("cors_origins", None)
    if given is None:
        return
    origins = _items(given)
    if isinstance(given, str) and "," not in given and len(origins) == 1:
        origins = [given.strip()]
    for origin in origins:
        if origin == "*":
            yield Problem(
                "cors_origins",
                variable,
                message="is not a valid origin: the product compares to the letter and knows no wildcard",
                remedy="list each origin",
                value=origin,
            )
        elif fault := _url_faults(origin, origin=True):
            yield Problem(
                "cors_origins",
                variable,
                message=fault,
                remedy="give scheme, host and port only, such as http://host:3000",
                value=origin,
            )
    public = str(context.get("public_url"))
    if public and origins and not {public, "*"} & set(origins) and not _url_faults(public, origin=True):
        yield Problem(
            "cors_origins",
            variable,
            message=f"lacks {public}, so browsers would be refused",
            remedy=f"add {PREFIX}_public_url to it",
            value=", ".join(origins),
        )


def _items(value: Any) -> list[str]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    if isinstance(value, Sequence):
        return [str(item) for item in value]
    return [str(value)]
