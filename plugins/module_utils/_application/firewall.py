# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that listen in the network for some hosts alone: which, for whom, and the rules that see to it.

The rules are a table of nftables of our own (roles/firewall writes it). An accept ends nothing but our own
chain; a drop is final, whatever other tables say.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._host import addresses, literal_addresses, reachable
from .assignment import DOOR, hosts_of
from .components import PORTS

FAMILY, TABLE = "inet", "mission_control"
_OFF = {"false", "no", "off", "n", "f", "0"}
_SOURCES = {"ip saddr", "ip6 saddr"}
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Guarded:
    """A port, and the addresses and networks that reach it from other hosts."""

    port: int
    sources: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For YAML."""
        return asdict(self) | {"sources": list(self.sources)}


def is_wanted(firewall: object) -> bool:
    """Whether the operator leaves it to us; it is so where he says nothing."""
    return str(firewall).lower() not in _OFF


def network(text: object) -> _Network:
    """An address, or a network; ValueError where it is neither."""
    address = str(text).strip()
    return ipaddress.ip_network(
        addresses.canonical(address) if literal_addresses.is_literal(address) else address
    )


def listed(value: object) -> list[str]:
    """What an operator gave as a list, or as one text."""
    return [str(one) for one in (value if isinstance(value, (list, tuple)) else [value]) if one]


def asking(
    settings: Mapping[str, Any], groups: Mapping[str, Sequence[str]], host: str, *, ours: bool, gateway: bool
) -> dict[str, list[str]]:
    """The components of a host that listen for others, with the hosts that ask them there.

    :param settings: see guarded.
    :param ours: whether the door is this collection's. Of another one nothing is known but what the operator
      says: where it comes from.
    :param gateway: whether the gateway listens for a door on another host.
    """
    doors = hosts_of(DOOR, groups, host) if ours else []
    if ours and doors == [host]:
        return {}
    found = {
        name: doors
        for name in ("backend", "frontend")
        if not reachable.is_loopback(str(settings.get(f"{name}_bind") or "*"))
    }
    if gateway:
        # Both ask it without the door.
        found["gateway"] = [
            *doors,
            *(one for name in ("backend", "worker") for one in hosts_of(name, groups, host)),
        ]
    return {
        component: [one for one in dict.fromkeys(hosts) if one != host]
        for component, hosts in found.items()
        if host in hosts_of(component, groups, host)
    }


def guarded(
    settings: Mapping[str, Any],
    groups: Mapping[str, Sequence[str]],
    host: str,
    reached: Mapping[str, str],
    *,
    ours: bool = True,
    gateway: bool = False,
) -> tuple[Guarded, ...]:
    """The ports of a host that others reach only where they have to ask there.

    Whom the inventory knows by a name only stays outside; the preflight tells that.

    :param settings: what the operator set: `firewall`, `firewall_allowed`, `backend_bind`, `backend_port`,
      `frontend_bind`, `frontend_port` and `gateway_port`.
    :param groups: the inventory's groups with their hosts.
    :param reached: addresses of hosts by their names in the inventory.
    :param ours: see asking; `gateway`, too.
    """
    allowed = listed(settings.get("firewall_allowed"))
    if not is_wanted(settings.get("firewall")) or not (ours or allowed):
        return ()
    found = []
    for component, hosts in asking(settings, groups, host, ours=ours, gateway=gateway).items():
        port = int(settings.get(f"{component}_port") or PORTS[component])
        sources = [*(str(reached.get(one) or one) for one in hosts), *allowed]
        found.append(Guarded(port, written(_networks(sources))))
    return tuple(sorted(found, key=lambda one: one.port))


def _networks(texts: Iterable[str]) -> Iterator[_Network]:
    for text in texts:
        try:
            yield network(text)
        except ValueError:
            continue


def written(networks: Iterable[_Network]) -> tuple[str, ...]:
    """As nft writes them, in one order, none of them twice."""
    found = sorted(set(networks), key=lambda one: (one.version, one))
    return tuple(str(one.network_address if one.prefixlen == one.max_prefixlen else one) for one in found)


def read(listing: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What the kernel's table comes to, as guarded has it; None where it holds something else than ours does.

    :param listing: what `nft --json list table` prints.
    """
    parts = [part for part in listing.get("nftables", ()) if isinstance(part, Mapping)]
    tables = [part["table"] for part in parts if "table" in part]
    chains = [part["chain"] for part in parts if "chain" in part]
    if len(tables) != 1 or tables[0].get("flags") or len(chains) != 1:
        return None
    hook = {name: chains[0].get(name) for name in ("type", "hook", "policy")}
    if hook != {"type": "filter", "hook": "input", "policy": "accept"}:
        return None
    sources: dict[int, list[_Network]] = {}
    closed: list[Guarded] = []
    for number, rule in enumerate(part["rule"] for part in parts if "rule" in part):
        matches, verdict = _rule(rule.get("expr") or ())
        port = matches.pop("tcp dport", None)
        if number == 0:
            if (port, matches, verdict) != (None, {"meta iif": "lo"}, "accept"):
                return None
        elif not isinstance(port, int) or port in {one.port for one in closed}:
            return None
        elif (matches, verdict) == ({}, "drop"):
            closed.append(Guarded(port, written(sources.pop(port, ()))))
        elif verdict == "accept" and None not in matches.values() and set(matches) <= _SOURCES and matches:
            sources.setdefault(port, []).extend(matches.values())
        else:
            return None
    return None if sources else [one.as_dict() for one in sorted(closed, key=lambda one: one.port)]


def _rule(expressions: Iterable[Any]) -> tuple[dict[str, Any], str]:
    """What a rule asks for, and what becomes of what fits; a verdict of "?" where it says more than ours."""
    matches: dict[str, Any] = {}
    verdict = ""
    for expression in expressions:
        (kind, said), *more = expression.items()
        if more or verdict:
            return matches, "?"
        if kind == "match" and said.get("op") == "==":
            name, value = _match(said)
            matches[name] = value
        elif kind in ("accept", "drop"):
            verdict = kind
        else:
            return matches, "?"
    return matches, verdict


def _match(said: Mapping[str, Any]) -> tuple[str, Any]:
    left, right = said.get("left"), said.get("right")
    payload = left.get("payload") if isinstance(left, Mapping) else None
    if isinstance(payload, Mapping):
        name = f"{payload.get('protocol')} {payload.get('field')}"
        return (name, _source(right)) if name.endswith(" saddr") else (name, right)
    meta = left.get("meta") if isinstance(left, Mapping) else None
    return (f"meta {meta.get('key')}" if isinstance(meta, Mapping) else "?"), right


def _source(right: Any) -> _Network | None:
    prefix = right.get("prefix") if isinstance(right, Mapping) else None
    text = f"{prefix.get('addr')}/{prefix.get('len')}" if isinstance(prefix, Mapping) else right
    try:
        return network(text)
    except ValueError:
        return None
