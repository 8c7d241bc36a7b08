# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that listen in the network for some hosts alone: which, for whom, and the rules that see to it.

The rules are a table of nftables of our own (roles/firewall writes it). An accept ends nothing but our own
chain; a drop is final, whatever other tables say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._host import reachable
from .._host.networks import Network, network, written
from .assignment import DOOR, hosts_of
from .components import PORTS
from .flags import FALSE


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
    return str(firewall).lower() not in FALSE


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


def _networks(texts: Iterable[str]) -> Iterator[Network]:
    for text in texts:
        try:
            yield network(text)
        except ValueError:
            continue
