# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what crosses a network: PostgreSQL and Redis with TLS, or in a network of their own."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from ...module_utils._application.assignment import hosts_of
from ...module_utils._host import literal_addresses, reachable
from ...module_utils._host.networks import Network, network
from .model import PREFIX, Context, Problem

# libpq's default, prefer, goes on without TLS where the server, or who stands before it, offers none.
ENCRYPTING = ("require", "verify-ca", "verify-full")
_EXAMPLE = "10.0.0.0/24"


def private_networks(context: Context) -> tuple[list[Network], list[str]]:
    """The networks that the operator calls private, and what is wrong with those that are none."""
    named = context.get("private_network", [])
    networks: list[Network] = []
    faults: list[str] = []
    for text in named if isinstance(named, (list, tuple)) else [named]:
        try:
            found = network(text)
        except ValueError:
            faults.append(f"{text} is not a network")
            continue
        if found.prefixlen == 0:
            faults.append(f"{text} is everywhere")
        networks.append(found)
    return networks, faults


def inside(host: str, networks: list[Network]) -> bool:
    """Whether a host is known to be in one of these networks; a name tells nothing."""
    if not literal_addresses.is_literal(host):
        return False
    found = network(host).network_address
    return any(found.version == one.version and found in one for one in networks)


def crossing(context: Context) -> dict[str, list[str]]:
    """The components that other hosts use, with these hosts and their own: external ones are left out."""
    external = {"postgresql": context.get("database_url"), "redis": context.get("redis_url")}
    users = [*hosts_of("backend", context.groups), *hosts_of("worker", context.groups)]
    found = {}
    for component, elsewhere in external.items():
        servers = hosts_of(component, context.groups)[:1]
        if servers and not elsewhere and set(users) - set(servers):
            found[component] = sorted({*servers, *users})
    return found


def encryption(context: Context) -> Iterator[Problem]:
    if not context.runs("postgresql", "redis", "backend", "worker"):
        return
    networks, faults = private_networks(context)
    for fault in faults:
        yield Problem(
            "encryption",
            f"{PREFIX}_private_network",
            message=fault,
            remedy=f"name the network in which these hosts alone reach each other, as in {_EXAMPLE}",
        )
    wanted = context.flag("tls", True)
    if wanted is None:
        yield Problem(
            "encryption",
            f"{PREFIX}_tls",
            message="is neither true nor false",
            remedy="leave it out: it is true where other hosts use PostgreSQL or Redis",
            value=str(context.get("tls")).lower(),
        )
    across = crossing(context)
    if wanted is not False or not across or faults:
        return
    what = " and ".join({"postgresql": "PostgreSQL", "redis": "Redis"}[name] for name in across)
    if not networks:
        yield Problem(
            "encryption",
            f"{PREFIX}_tls",
            message=f"other hosts use {what}: passwords and data would cross the network in clear",
            remedy="leave it out; or, where a network of their own is closed to everybody else, name that in "
            f"{PREFIX}_private_network (as in {_EXAMPLE})",
            value="false",
        )
        return
    for host in sorted({host for hosts in across.values() for host in hosts}):
        address = context.addresses.get(host, host)
        if not inside(address, networks):
            yield Problem(
                "encryption",
                f"{PREFIX}_private_network",
                message=f"{host} is not known to be in it: its ansible_host is {address}",
                remedy="set ansible_host to its address in that network, or leave "
                f"{PREFIX}_tls out, so that {what} uses TLS",
                value=", ".join(map(str, networks)),
            )


def _crosses(host: str | None, networks: list[Network]) -> bool:
    return bool(host) and not reachable.is_loopback(str(host)) and not inside(str(host), networks)


def plain_addresses(context: Context) -> Iterator[Problem]:
    """External servers stay as the operator has them; he learns what goes over a network in clear."""
    networks, _faults = private_networks(context)
    for variable, plain, remedy in (
        (
            "database_url",
            _plain_database,
            "add ?sslmode=verify-full&sslrootcert=/path/of/ca.pem",
        ),
        ("redis_url", _plain_redis, "use rediss:// and ?ssl_ca_certs=/path/of/ca.pem"),
    ):
        try:
            parts = urlsplit(str(context.get(variable)))
            host = parts.hostname
            crosses = plain(parts.scheme, dict(parse_qsl(parts.query))) and _crosses(host, networks)
        except ValueError:
            continue  # the rules of database.py tell that
        if crosses:
            yield Problem(
                "plain_addresses",
                f"{PREFIX}_{variable}",
                message=f"does not demand TLS: password and data may cross the network to {host} in clear",
                remedy=f"{remedy}, or name a network that is closed to others in {PREFIX}_private_network",
                warning=True,
            )


def _plain_database(scheme: str, query: dict[str, str]) -> bool:
    return scheme.startswith("postgres") and query.get("sslmode") not in ENCRYPTING


def _plain_redis(scheme: str, _query: dict[str, str]) -> bool:
    return scheme == "redis"
