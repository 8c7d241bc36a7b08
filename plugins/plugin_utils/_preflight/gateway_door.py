# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the gateway's own address at the front door: one message for each mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...module_utils._application.assignment import DOOR, group_of, hosts_of
from ...module_utils._application.components import PORTS
from ...module_utils._application.front_door import EXTERNAL, is_wanted
from ...module_utils._gateway import configuration as _configuration
from ...module_utils._gateway.protocol import parse_version
from ...module_utils._host.written_addresses import in_url
from .addresses import _url_faults
from .front_door import gateway_place, held, place_of
from .model import PREFIX, Context, Problem

_NAME = "gateway_public_url"
VARIABLE = f"{PREFIX}_{_NAME}"
_EXAMPLE = "https://gateway.example.com, or the host of the main address with a port of its own"
# Whoever comes from a proxy's address without its headers is refused by OpenClaw from here on.
_REFUSING = "2026.8.1"


def _problem(message: str, remedy: str, value: object) -> Problem:
    return Problem("gateway_door", VARIABLE, message=message, remedy=remedy, value=str(value))


def gateway_door(context: Context) -> Iterator[Problem]:
    """What is wrong with the address, or with what would be behind it; the first of it tells the rest."""
    url = context.get(_NAME)
    if not url or VARIABLE in context.undefined:
        return
    problem = _address(context, str(url)) or _behind(context, str(url))
    if problem:
        yield problem
        return
    yield from _origins(context, str(url))
    yield from _listening(context, str(url))
    yield from _refused(context, str(url))
    yield from _ports(context, str(url))


def _address(context: Context, url: str) -> Problem | None:
    """Of the address by itself, and beside the main one."""
    if url.startswith("http://"):
        return _problem(
            "has no TLS, and the gateway's token would cross the network in clear",
            "begin it with https://; the front door has the certificate",
            url,
        )
    if fault := _url_faults(url, ("https",), origin=True):
        # A login is no value to show.
        shown = url if "@" not in url else "https://…@…"
        return _problem(fault, f"give scheme, name and perhaps a port, such as {_EXAMPLE}", shown)
    public = str(context.get("public_url"))
    if not is_wanted(public, context.get("front_door")):
        external = context.get("front_door") == EXTERNAL
        return _problem(
            f"is set, and {PREFIX}_front_door is {EXTERNAL}: your own proxy serves the gateway"
            if external
            else f"needs the front door, and {PREFIX}_public_url does not begin with https://",
            "take it out, and tell the gateway of that proxy by gateway_allowed_origins and "
            "gateway_trusted_proxies (docs/gateway.md)"
            if external
            else f"give an https:// address in {PREFIX}_public_url, or take this out",
            url,
        )
    if place_of(url) == place_of(public):
        return _problem(
            f"is the address of Mission Control itself ({PREFIX}_public_url), whose pages are there",
            f"give another name, or another port: {_EXAMPLE}",
            url,
        )
    return None


def _behind(context: Context, url: str) -> Problem | None:
    """Of the gateway that is to answer there."""
    gateways = hosts_of("gateway", context.groups)
    if len(gateways) != 1:
        group = group_of("gateway", context.group)
        return _problem(
            f"leads to no gateway: the group {group} has no host"
            if not gateways
            else f"is one address, and the group {group} has {len(gateways)} hosts ({', '.join(gateways)})",
            "put a host into that group, or take this out"
            if not gateways
            else "leave one of them in it, or take this out",
            url,
        )
    if _configuration.get(_given(context), ("gateway", "tls", "enabled")) is True:
        return Problem(
            "gateway_door",
            f"{PREFIX}_gateway_configuration.gateway.tls.enabled",
            message=f"has the gateway speak TLS itself, and the front door, which {VARIABLE} asks for, comes "
            "without",
            remedy="take it out: the door has TLS and the certificate; or take that address out",
            value="true",
        )
    return None


def _given(context: Context) -> Mapping[str, Any]:
    """More of the gateway's own settings, as the inventory has them."""
    given = context.gateway.configuration if context.gateway else context.get("gateway_configuration", {})
    return given if isinstance(given, Mapping) else {}


def _origins(context: Context, url: str) -> Iterator[Problem]:
    """Origins that the operator lists himself stand in place of ours."""
    listed = _configuration.get(_given(context), _configuration.ORIGINS)
    if isinstance(listed, (list, tuple)) and not {url, "*"} & set(map(str, listed)):
        yield Problem(
            "gateway_door",
            f"{PREFIX}_gateway_configuration.gateway.controlUi.allowedOrigins",
            message=f"lacks {url}, so the control page would be shown and could not connect",
            remedy=f"add {VARIABLE} to it, or leave it out",
            value=", ".join(map(str, listed)),
        )


def _listening(context: Context, url: str) -> Iterator[Problem]:
    """A door on another host, and a gateway that listens on loopback alone because somebody says so."""
    doors, (gateway,) = hosts_of(DOOR, context.groups), hosts_of("gateway", context.groups)
    bind = str(context.get("gateway_bind"))
    if bind in ("loopback", "auto") and doors != [gateway]:
        yield Problem(
            "gateway_door",
            f"{PREFIX}_gateway_bind",
            message=f"has the gateway on {gateway} listen for its own host alone, and the front door, which "
            f"{VARIABLE} ({url}) asks for, is on {', '.join(doors)}",
            remedy="leave it out: it is lan then; or have the door on the gateway's host "
            f"(group {group_of(DOOR, context.group)})",
            value=bind,
        )


def _refused(context: Context, url: str) -> Iterator[Problem]:
    """A backend that shares the door's address, by which newer gateways know a proxy."""
    version = parse_version(context.gateway.version) if context.gateway else None
    oldest = parse_version(_REFUSING)
    if not context.gateway or not context.gateway.here or not version or not oldest or version < oldest:
        return
    shared = set(hosts_of(DOOR, context.groups)) & set(context.gateway.backend_hosts) - {context.hostname}
    if shared and place_of(context.gateway.url.replace("wss:", "https:", 1)) != place_of(url):
        through = url.replace("https", "wss") + ("" if urlsplit(url).port else ":443")
        yield _problem(
            f"makes {', '.join(sorted(shared))} the gateway's proxy, and the backend there comes from the "
            f"same address without a proxy's headers, which OpenClaw {_REFUSING} and later refuses",
            f"have the backend come through the door, too: {PREFIX}_gateway_url: {through} "
            f"({PREFIX}_gateway_ca_path for a certificate of the deployment's own authority); or put the "
            "door or the gateway elsewhere",
            url,
        )


def _ports(context: Context, url: str) -> Iterator[Problem]:
    """A port of its own that another service of ours has, or somebody else."""
    own, public = gateway_place(context), place_of(str(context.get("public_url")))
    if own is None or public is None or own.port == public.port:
        return  # where it is the door's, the rule door_ports looks at it
    if context.hostname not in hosts_of(DOOR, context.groups, context.hostname):
        return
    for number, whose in _taken(context):
        if number == own.port:
            yield _problem(
                f"names port {number}, which is {whose}",
                f"choose another one, such as https://{in_url(own.name)}:8443, or another name",
                url,
            )
            return
    yield from held(context, own.port, _NAME)


def _taken(context: Context) -> Iterator[tuple[int, str]]:
    """The ports that this host needs for something else."""
    for service in context.ports:
        if str(service.number).isdigit():
            yield int(service.number), f"that of {service.variable}"
    for name, words in (
        ("postgresql", "PostgreSQL's"),
        ("redis", "Redis'"),
        ("gateway", "the gateway's own, where it answers the door"),
    ):
        if context.hostname in hosts_of(name, context.groups):
            given = str(context.get(f"{name}_port"))
            yield int(given) if given.isdigit() else PORTS[name], words
    yield PORTS["proxy_http"], "where the front door sends users on to https"
