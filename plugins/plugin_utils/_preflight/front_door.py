# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the front door: its address, its ports, its certificate, and whose door it is."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from ...module_utils._application.assignment import DOOR, group_of, hosts_of
from ...module_utils._application.components import service_unit
from ...module_utils._application.front_door import ACME, CHOICES, EXTERNAL, certificates_from, is_wanted
from ...module_utils._host import addresses, literal_addresses, reachable, written_addresses
from .certificates import pem_problems
from .host import holder_of
from .model import PREFIX, Context, Problem
from .transport import inside, private_networks

UNIT = service_unit(DOOR)
_ACME = ("acme_contact", "acme_directory", "acme_key_id", "acme_key")
_FILES = ("certificate", "certificate_key")


def _wanted(context: Context) -> bool:
    return is_wanted(context.get("public_url"), context.get("front_door"))


def _certificates(context: Context) -> str:
    return certificates_from({name: context.get(name) for name in (*_ACME, *_FILES)})


def _name(context: Context) -> str:
    try:
        return urlsplit(str(context.get("public_url"))).hostname or ""
    except ValueError:
        return ""  # the rule public_url tells that


class Place(NamedTuple):
    """Where users ask, by name and port."""

    name: str
    port: int


def place_of(url: str) -> Place | None:
    """Where an https address leads; None where it is none."""
    try:
        parts = urlsplit(url)
        return (
            Place(parts.hostname, parts.port or 443) if parts.scheme == "https" and parts.hostname else None
        )
    except ValueError:
        return None


def gateway_place(context: Context) -> Place | None:
    """The gateway's own address at the door; None where it has none."""
    return place_of(str(context.get("gateway_public_url"))) if _wanted(context) else None


def whose_door(context: Context) -> Iterator[Problem]:
    """Variables that say nothing to this door, or something else than what others of them say."""
    choice = str(context.get("front_door", CHOICES[0]))
    if choice not in CHOICES:
        yield Problem(
            "whose_door",
            f"{PREFIX}_front_door",
            message="is not a valid choice",
            remedy=f"use {' or '.join(CHOICES)}",
            value=choice,
        )
        return
    secure = str(context.get("public_url")).startswith("https://")
    for name in (*_ACME, *_FILES):
        if context.get(name) and not _wanted(context):
            external = choice == EXTERNAL
            yield Problem(
                "whose_door",
                f"{PREFIX}_{name}",
                message=f"is set, and {PREFIX}_front_door is {EXTERNAL}: your own proxy has the certificate"
                if external
                else f"is set, and {PREFIX}_public_url does not begin with https://",
                remedy=f"take it out, or leave {PREFIX}_front_door out"
                if external
                else f"give an https:// address in {PREFIX}_public_url, or take this out",
            )
    if context.get("hsts", None) is not None and not secure and str(context.get("hsts")) != "0":
        yield Problem(
            "whose_door",
            f"{PREFIX}_hsts",
            message=f"needs TLS, and {PREFIX}_public_url does not begin with https://",
            remedy=f"give an https:// address in {PREFIX}_public_url, or take this out",
            value=str(context.get("hsts")),
        )
    if context.groups.get(group_of(DOOR)) and not _wanted(context):
        yield Problem(
            "whose_door",
            f"group {group_of(DOOR, context.group)}",
            message=f"has no effect: {PREFIX}_front_door is {EXTERNAL}"
            if choice == EXTERNAL
            else f"has no effect: {PREFIX}_public_url does not begin with https://",
            remedy=f"give an https:// address in {PREFIX}_public_url, or take the group out of the inventory",
        )


def plain_http(context: Context) -> Iterator[Problem]:
    """Without a door of ours whoever is in the network reads the token, which opens everything."""
    wanted = context.flag("insecure_http", False)
    if wanted is None:
        yield Problem(
            "plain_http",
            f"{PREFIX}_insecure_http",
            message="is neither true nor false",
            remedy="leave it out: it is false",
            value=str(context.get("insecure_http")).lower(),
        )
        return
    if wanted or _wanted(context) or f"{PREFIX}_public_url" in context.undefined:
        return
    exposed = {
        name: str(context.get(f"{name}_bind", written_addresses.IPV4_EVERYWHERE))
        for name in ("backend", "frontend")
        if context.runs(name)
    }
    exposed = {name: bind for name, bind in exposed.items() if not reachable.is_loopback(bind)}
    if not exposed or not context.get("public_url"):
        return
    listening = " and ".join(f"the {name} at {bind}" for name, bind in exposed.items())
    local = " and ".join(f"{PREFIX}_{name}_bind" for name in exposed)
    if context.get("front_door") == EXTERNAL:
        yield Problem(
            "plain_http",
            f"{PREFIX}_front_door",
            message=f"leaves TLS to your own proxy, and {listening} would listen with plain HTTP for "
            "everybody",
            remedy=f"set {local} to 127.0.0.1 where that proxy is on this host; where it is on another one, "
            f"and nobody else reaches these ports, {PREFIX}_insecure_http: true",
            value=EXTERNAL,
        )
        return
    yield Problem(
        "plain_http",
        f"{PREFIX}_public_url",
        message=f"has no TLS, and {listening} would listen with plain HTTP: whoever is in the network reads "
        "the tokens that open everything",
        remedy="begin it with https:// and leave the port out, for which a front door with TLS is made "
        f"(docs/front-door.md); or set {local} to 127.0.0.1; or accept it by {PREFIX}_insecure_http: true",
        value=str(context.get("public_url")),
    )


def door_apart(context: Context) -> Iterator[Problem]:
    """Between a door and what is behind it on other hosts there is no TLS."""
    asked = ["backend", "frontend", *(["gateway"] if gateway_place(context) else [])]
    if not _wanted(context) or not context.runs(*asked):
        return
    doors = hosts_of(DOOR, context.groups)
    behind = {host for component in asked for host in hosts_of(component, context.groups)}
    if not doors or not behind or behind | set(doors) == set(doors[:1]):
        return
    networks, _faults = private_networks(context)
    for host in sorted(behind | set(doors)):
        address = context.addresses.get(host, host)
        if not inside(address, networks):
            yield Problem(
                "door_apart",
                f"{PREFIX}_private_network",
                message=f"is not known to hold {host} ({address}): the front door ({', '.join(doors)}) asks "
                f"{', '.join(sorted(behind))} without TLS, and tokens would cross the network in clear",
                remedy=f"run door, {' and '.join(', '.join(asked).rsplit(', ', 1))} on one host, or name the "
                f"network that is closed to others in {PREFIX}_private_network and set ansible_host to "
                "addresses in it",
                value=", ".join(map(str, networks)),
            )
            return


def door_ports(context: Context) -> Iterator[Problem]:
    """Ports of the door that somebody else has."""
    if not _wanted(context):
        return
    try:
        port = urlsplit(str(context.get("public_url"))).port or 443
    except ValueError:
        return  # the rule public_url tells that
    for service in context.ports:
        if str(service.number) == str(port):
            yield Problem(
                "door_ports",
                f"{PREFIX}_public_url",
                message=f"names the port of {service.variable}, on which the front door cannot listen, too",
                remedy="leave the port out (443), or choose another one",
                value=str(context.get("public_url")),
            )
            return
    if context.host is None or context.hostname not in hosts_of(DOOR, context.groups, context.hostname):
        return
    for number, why in ((80, " (for the redirect to https and for certificates)"), (port, "")):
        yield from held(context, number, "public_url", why)


def held(context: Context, number: int, variable: str, why: str = "") -> Iterator[Problem]:
    """Whether somebody else has a port of the door on this host.

    :param variable: by which the door needs it.
    """
    for listener in (context.host or {}).get("listeners", ()):
        if int(listener["port"]) != number or listener.get("unit") == UNIT or listener.get("unknown"):
            continue
        own = f"if that is your own proxy, set {PREFIX}_front_door: {EXTERNAL}"
        yield Problem(
            "door_ports",
            f"{PREFIX}_{variable}",
            message=f"needs port {number}{why}, which is held by {holder_of(listener)}",
            remedy=f"stop it; or, {own if variable == 'public_url' else 'choose another port'}",
            value=str(context.get(variable)),
        )
        return


def acme(context: Context) -> Iterator[Problem]:
    """What an ACME authority would refuse."""
    if not _wanted(context) or _certificates(context) != ACME:
        return
    name = _name(context)
    yield from _unknown_to_acme(context, "public_url", name, context.resolved)
    own = gateway_place(context)
    if own is not None and own.name != name:
        yield from _unknown_to_acme(context, "gateway_public_url", own.name, context.gateway_resolved)
    yield from _acme_variables(context)
    doors = hosts_of(DOOR, context.groups)
    if len(doors) > 1:
        yield Problem(
            "acme",
            f"group {group_of(DOOR, context.group)}",
            message=f"has {len(doors)} hosts ({', '.join(doors)}), which would each ask for a certificate of "
            f"{name} and answer for the other",
            remedy=f"leave one in it, or give the certificate in {PREFIX}_certificate",
        )


def _unknown_to_acme(
    context: Context, variable: str, name: str, resolved: Sequence[str] | None
) -> Iterator[Problem]:
    """A name for which an authority issues nothing, or by which it does not find this host."""
    url, away = str(context.get(variable)), _elsewhere(context, resolved) if resolved else ""
    if literal_addresses.is_literal(name) or "." not in name:
        yield Problem(
            "acme",
            f"{PREFIX}_{variable}",
            message=f"names {name}, for which no ACME authority issues certificates"
            + (" of an address" if literal_addresses.is_literal(name) else ""),
            remedy="give the full name under which users find this host, or leave "
            f"{PREFIX}_acme_contact and {PREFIX}_acme_directory out: the deployment's own authority then "
            "issues the certificate",
            value=url,
        )
    elif resolved is not None and not resolved:
        yield Problem(
            "acme",
            f"{PREFIX}_{variable}",
            message=f"names {name}, which cannot be resolved, so that no ACME authority finds this host",
            remedy="add it to DNS before the deployment",
            value=url,
        )
    elif away:
        yield Problem(
            "acme",
            f"{PREFIX}_{variable}",
            message=f"leads to {', '.join(resolved or ())}, and {context.hostname} is reached at {away}",
            remedy="correct the name in DNS; if a router hands ports 80 and 443 on to this host, all is well",
            value=url,
            warning=True,
        )


def _acme_variables(context: Context) -> Iterator[Problem]:
    """What an authority is told, apart from the name."""
    directory = str(context.get("acme_directory"))
    if directory and not directory.startswith("https://"):
        yield Problem(
            "acme",
            f"{PREFIX}_acme_directory",
            message="is not the https:// address of an ACME directory",
            remedy="copy it from the authority's documentation; empty means Let's Encrypt",
            value=directory,
        )
    if bool(context.get("acme_key_id")) != bool(context.get("acme_key")):
        lacking = "acme_key" if context.get("acme_key_id") else "acme_key_id"
        yield Problem(
            "acme",
            f"{PREFIX}_{lacking}",
            message="is not set, and an external account binding has both an identifier and a key",
            remedy="copy both from the authority",
        )
    for variable in _FILES:
        if context.get(variable):
            yield Problem(
                "acme",
                f"{PREFIX}_{variable}",
                message=f"is set beside {PREFIX}_acme_contact or {PREFIX}_acme_directory",
                remedy="choose one of the two",
            )


def _elsewhere(context: Context, resolved: Sequence[str]) -> str:
    """This host's address where a name leads to others; empty where that is not known."""
    own = context.addresses.get(context.hostname, "")
    if not literal_addresses.is_literal(own) or context.hostname not in hosts_of(DOOR, context.groups):
        return ""
    return "" if addresses.canonical(own) in resolved else own


def certificate(context: Context) -> Iterator[Problem]:
    """A certificate that was given: both files, PEM, one pair, of the name, in time, with its chain."""
    if not _wanted(context) or _certificates(context) == ACME:
        return
    given = {name: str(context.get(name)) for name in _FILES}
    if not any(given.values()):
        return
    for name, text in given.items():
        if not text:
            other = next(one for one in _FILES if one != name)
            yield Problem(
                "certificate",
                f"{PREFIX}_{name}",
                message=f"is not set, and {PREFIX}_{other} is",
                remedy="give both: PEM from the vault, or absolute paths of files on the door's host",
            )
            return
        if not text.startswith("/") and "-----BEGIN" not in text:
            # Not its value: it may be a key.
            yield Problem(
                "certificate",
                f"{PREFIX}_{name}",
                message="is neither PEM (-----BEGIN …) nor the absolute path of a file on the door's host",
                remedy="give PEM from the vault, or such a path",
            )
            return
    # Files on the host are looked at there, before the proxy reads them.
    if not any(text.startswith("/") for text in given.values()):
        own = gateway_place(context)
        others = {own.name: "gateway_public_url"} if own else {}
        yield from pem_problems(
            given["certificate"], given["certificate_key"], {_name(context): "public_url", **others}
        )


def resolved(name: str) -> tuple[str, ...]:
    """The addresses that the controller finds for a name; none where it finds none."""
    try:
        found = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
