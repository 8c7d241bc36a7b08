# SPDX-License-Identifier: GPL-3.0-or-later
"""The front door: what follows from an https public URL, for every role and every check that needs to know.

A proxy of ours serves pages and API at one origin, with TLS. What is behind it listens to the proxy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from .._host import addresses, literal_addresses, written_addresses
from .assignment import DOOR, hosts_of
from .components import PORTS
from .door_access import CLOSED, LOST, NO_ENTRY, PATHS, REFUSAL
from .firewall import Guarded, guarded

# What `mission_control_front_door` may be: the operator's own proxy is judged and not touched.
AUTO, EXTERNAL = "auto", "external"
CHOICES = (AUTO, EXTERNAL)
# Where the door's certificate comes from.
AUTHORITY, FILES, ACME = "authority", "files", "acme"
# Where hosts have the certificate of the deployment's own authority (authority_trust_file).
AUTHORITY_CERTIFICATE = "/etc/mission-control/authority.crt"


@dataclass(frozen=True)
class Server:
    """One of several that the door hands requests to."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class GatewayEntry:
    """The gateway's own address at the door, which hands its control page and its WebSockets to it.

    name, port: of its public URL; a name or an address without brackets.
    origin: as browsers name it, which the gateway has to allow.
    own_port: whether the door listens for it on a port of its own; else its name alone tells it.
    server: the gateway.
    apart: whether a door on another host asks it, so that it cannot listen on loopback alone.
    trusted: the addresses from which the door comes. The gateway is to take nobody else's word for whom
      a request is from, and nobody who comes through the door for somebody on its own host.
    """

    name: str
    port: int
    origin: str
    own_port: bool
    server: Server
    apart: bool
    trusted: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For YAML."""
        return asdict(self) | {"trusted": list(self.trusted)}


@dataclass(frozen=True)
class FrontDoor:
    """What is known of the door of a host's Mission Control.

    enabled: whether there is one of this collection's.
    here: whether it runs on this host.
    name, port: of the public URL; a name or an address without brackets.
    bind: where backend and frontend of this host listen where nothing else is said; empty without a door.
    trusted: addresses whose X-Forwarded-For the product is to believe, separated by commas.
    backends, frontends: what the door hands requests to.
    certificates: authority, files or acme.
    authority: where hosts have the certificate of the deployment's own authority; empty where it issues none.
    hosts: addresses of the deployment's hosts, to which the door is never closed.
    gateway: the gateway's own address; None where it has none.
    guarded: the ports of this host that a door on another host asks, and who else reaches them.
    """

    enabled: bool = False
    here: bool = False
    name: str = ""
    port: int = 443
    bind: str = ""
    trusted: str = ""
    backends: tuple[Server, ...] = ()
    frontends: tuple[Server, ...] = ()
    certificates: str = AUTHORITY
    authority: str = ""
    hosts: tuple[str, ...] = ()
    gateway: GatewayEntry | None = None
    guarded: tuple[Guarded, ...] = ()

    @property
    def origin(self) -> str:
        """The public URL as browsers name it; empty without a door."""
        return _origin(self.name, self.port) if self.enabled else ""

    @property
    def names(self) -> tuple[str, ...]:
        """What the certificate has to be made out for."""
        found = (self.name, self.gateway.name if self.gateway else "")
        return tuple(dict.fromkeys(name for name in found if name))

    def as_dict(self) -> dict[str, Any]:
        """For YAML, with what the door's configuration calls things."""
        found = asdict(self)
        words = {
            "paths": dict(PATHS),
            "refusal": REFUSAL,
            "no_entry": NO_ENTRY,
            "closed": CLOSED,
            "lost": dict(LOST),
        }
        lists = {name: list(found[name]) for name in ("backends", "frontends", "hosts")}
        gateway = self.gateway.as_dict() if self.gateway else {}
        behind = {"gateway": gateway, "guarded": [one.as_dict() for one in self.guarded]}
        return found | lists | words | behind | {"origin": self.origin, "names": list(self.names)}


def is_wanted(public_url: object, front_door: object = AUTO) -> bool:
    """Whether an https public URL asks for a door of ours."""
    return str(public_url or "").startswith("https://") and str(front_door or AUTO) != EXTERNAL


def is_external(public_url: object, front_door: object) -> bool:
    """Whether an https public URL is served by a proxy of the operator's own."""
    return str(public_url or "").startswith("https://") and str(front_door or AUTO) == EXTERNAL


def certificates_from(settings: Mapping[str, Any]) -> str:
    """Where the certificate comes from: what the operator gave says it.

    :param settings: `acme_contact`, `acme_directory` and `certificate`, each empty where it is not set.
    """
    if settings.get("acme_contact") or settings.get("acme_directory"):
        return ACME
    return FILES if settings.get("certificate") else AUTHORITY


def _origin(name: str, port: int) -> str:
    """As browsers name a place with TLS."""
    return f"https://{written_addresses.in_url(name)}" + (f":{port}" if port != 443 else "")


def gateway_entry(
    settings: Mapping[str, Any], groups: Mapping[str, Sequence[str]], host: str, reached: Mapping[str, str]
) -> GatewayEntry | None:
    """The gateway's own address, as the door of one host has it; see front_door for what is taken."""
    url, gateways = str(settings.get("gateway_public_url") or ""), hosts_of("gateway", groups, host)
    if not url or not gateways:
        return None
    parts, public = urlsplit(url), urlsplit(str(settings["public_url"]))
    name, port = parts.hostname or "", parts.port or 443
    doors, gateway = hosts_of(DOOR, groups, host), gateways[0]
    own = [written_addresses.IPV4_LOOPBACK, written_addresses.IPV6_LOOPBACK]
    address = written_addresses.IPV4_LOOPBACK if host == gateway else str(reached.get(gateway) or gateway)
    bind, bind_host = str(settings.get("gateway_bind") or ""), str(settings.get("gateway_bind_host") or "")
    if bind == "custom" and bind_host and not addresses.is_everywhere(bind_host):
        # It listens nowhere else. Who asks it there from its own host comes from there, too.
        address, own = addresses.ask_at(bind_host), [*own, addresses.canonical(bind_host)]
    elif bind == "tailnet":
        address = str(reached.get(gateway) or gateway)
        own = [*own, address]
    return GatewayEntry(
        name=name,
        port=port,
        origin=_origin(name, port),
        own_port=port != (public.port or 443),
        server=Server(gateway, address, int(settings.get("gateway_port") or PORTS["gateway"])),
        apart=doors != [gateway],
        trusted=tuple(
            dict.fromkeys(
                address
                for door in doors
                for address in (own if door == gateway else [str(reached.get(door) or door)])
            )
        ),
    )


def _literal(reached: Mapping[str, str]) -> tuple[str, ...]:
    """The hosts that are known by an address."""
    known = [address for _name, address in sorted(reached.items()) if literal_addresses.is_literal(address)]
    return tuple(dict.fromkeys(map(addresses.canonical, known)))


def front_door(
    settings: Mapping[str, Any], groups: Mapping[str, Sequence[str]], host: str, reached: Mapping[str, str]
) -> FrontDoor:
    """What follows for one host.

    :param settings: what the operator set: `public_url`, `front_door`, `backend_bind`, `backend_port`,
      `frontend_bind`, `frontend_port`, what certificates_from takes, of the gateway `gateway_public_url`,
      `gateway_bind`, `gateway_bind_host` and `gateway_port`, and `firewall` and `firewall_allowed`.
    :param groups: the inventory's groups with their hosts.
    :param host: the inventory's name of the host.
    :param reached: addresses of hosts by their names in the inventory.
    """
    if not is_wanted(settings.get("public_url"), settings.get("front_door")):
        external = is_external(settings.get("public_url"), settings.get("front_door"))
        return FrontDoor(guarded=guarded(settings, groups, host, reached, ours=False) if external else ())
    parts = urlsplit(str(settings["public_url"]))
    certificates = certificates_from(settings)
    doors = hosts_of(DOOR, groups, host)
    others = [str(reached.get(name) or name) for name in doors if name != host]
    own = str(reached.get(host) or "")
    # A door that is elsewhere comes in by the address at which the inventory reaches this host.
    away = (
        addresses.canonical(own) if literal_addresses.is_literal(own) else written_addresses.IPV4_EVERYWHERE
    )
    gateway = gateway_entry(settings, groups, host, reached)
    local = [written_addresses.IPV4_LOOPBACK, written_addresses.IPV6_LOOPBACK] if host in doors else []

    def servers(component: str) -> tuple[Server, ...]:
        port = int(settings.get(f"{component}_port") or PORTS[component])
        bind = str(settings.get(f"{component}_bind") or written_addresses.IPV4_LOOPBACK)
        return tuple(
            # One host alone: loopback. Where others ask, too, the host listens at the address that they use.
            Server(
                name,
                addresses.ask_at(bind) if [name] == doors else str(reached.get(name) or name),
                port,
            )
            for name in hosts_of(component, groups, host)
        )

    return FrontDoor(
        enabled=True,
        here=host in doors,
        name=parts.hostname or "",
        port=parts.port or 443,
        bind=written_addresses.IPV4_LOOPBACK if doors == [host] else away,
        trusted=",".join([*local, *others]),
        backends=servers("backend"),
        frontends=servers("frontend"),
        certificates=certificates,
        authority=AUTHORITY_CERTIFICATE if certificates == AUTHORITY else "",
        hosts=_literal(reached),
        gateway=gateway,
        guarded=guarded(settings, groups, host, reached, gateway=gateway is not None and gateway.apart),
    )
