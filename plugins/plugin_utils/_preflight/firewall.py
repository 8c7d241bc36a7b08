# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the ports behind a front door on another host, which are closed to everybody else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...module_utils._application import firewall as _firewall
from ...module_utils._application.assignment import DOOR, hosts_of
from ...module_utils._application.components import PORTS
from ...module_utils._application.front_door import is_external, is_wanted
from ...module_utils._host import literal_addresses
from ...module_utils._host.networks import network
from .front_door import gateway_place
from .model import PREFIX, Context, Problem

_OFF, _ALLOWED = "firewall", "firewall_allowed"
_RULE = "firewall"
_OTHERWISE = (
    f"{PREFIX}_{_OFF}: false, with which nobody but us closes these ports: the network has to be private then"
)


def _problem(variable: str, message: str, remedy: str, value: object = "") -> Problem:
    return Problem(_RULE, variable, message=message, remedy=remedy, value=str(value))


def firewall(context: Context) -> Iterator[Problem]:
    """Words that are none, hosts that no rule can name, and a kernel that takes no rules."""
    wanted = context.flag(_OFF, True)
    if wanted is None:
        yield _problem(
            f"{PREFIX}_{_OFF}",
            "is neither true nor false",
            "leave it out: it is true",
            str(context.get(_OFF)).lower(),
        )
        return
    allowed = _firewall.listed(context.get(_ALLOWED, []))
    for text in allowed:
        try:
            network(text)
        except ValueError as error:
            yield _problem(
                f"{PREFIX}_{_ALLOWED}",
                f"is not a list of addresses and networks: {error}",
                "write them as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32",
                text,
            )
    where = context.get("public_url"), context.get("front_door")
    ours = is_wanted(*where)
    if allowed and (not wanted or not (ours or is_external(*where))):
        yield _problem(
            f"{PREFIX}_{_ALLOWED}",
            f"has no effect: {PREFIX}_{_OFF} is false"
            if not wanted
            else f"has no effect: {PREFIX}_public_url does not begin with https://",
            "take it out"
            if not wanted
            else f"give an https:// address in {PREFIX}_public_url, or take this out",
            ", ".join(allowed),
        )
        return
    if not wanted or not (ours or allowed):
        return
    asking = _firewall.asking(
        _settings(context), context.groups, context.hostname, ours=ours, gateway=_gateway_apart(context)
    )
    if asking:
        yield from _unnamed(context, asking)
        yield from _past_the_door(context)
        yield from _kernel(context)


def _settings(context: Context) -> Mapping[str, Any]:
    return {name: context.get(name) for name in ("backend_bind", "frontend_bind")}


def _gateway_apart(context: Context) -> bool:
    """Whether a door on another host asks the gateway."""
    return gateway_place(context) is not None and hosts_of(DOOR, context.groups) != hosts_of(
        "gateway", context.groups
    )


def _unnamed(context: Context, asking: Mapping[str, list[str]]) -> Iterator[Problem]:
    """A rule names addresses. Those of door and parts are what the rule door_apart asks for."""
    for host in dict.fromkeys(host for hosts in asking.values() for host in hosts):
        address = context.addresses.get(host, host)
        if not literal_addresses.is_literal(address) and host in hosts_of("worker", context.groups):
            yield _problem(
                f"host {host}",
                f"is known by a name only ({address}), and a rule that lets it through to {context.hostname} "
                "needs its address",
                f"set its ansible_host to its address; or {_OTHERWISE}",
            )
            return


def _past_the_door(context: Context) -> Iterator[Problem]:
    """An address of the API that leads to a backend itself, which only the door reaches."""
    url = str(context.get("api_url"))
    try:
        parts = urlsplit(url)
        place = parts.hostname, parts.port
    except ValueError:
        return  # the rule api_url tells that
    backends = hosts_of("backend", context.groups)
    reached = {name: context.addresses.get(name, name) for name in backends}
    port = int(context.get("backend_port", PORTS["backend"]))
    if place[1] == port and place[0] in {*reached, *reached.values()} and not context.get(_ALLOWED):
        yield _problem(
            f"{PREFIX}_api_url",
            "leads to a backend past the front door, which that port is for alone",
            f"leave it out: it is {PREFIX}_public_url; or name who comes by it in {PREFIX}_{_ALLOWED}; or "
            f"{_OTHERWISE}",
            url,
        )


def _kernel(context: Context) -> Iterator[Problem]:
    """A container may have no rules of its own."""
    found = (context.host or {}).get("firewall") or {}
    if found.get("refusal"):
        yield _problem(
            f"host {context.hostname}",
            "has to drop what comes for its ports from others than the front door, and its kernel takes no "
            f"rules of nftables: {found['refusal']}",
            "load the module nf_tables on the machine that this kernel is of; give a container the "
            f"capability NET_ADMIN; or close these ports outside of it and set {_OTHERWISE}",
        )
