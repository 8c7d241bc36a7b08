# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters that write the addresses of services."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from jinja2 import pass_context
from jinja2.runtime import Context

from ..module_utils._application import front_door as _front_door
from ..module_utils._application.assignment import GROUP as PREFIX
from ..module_utils._application.frontend_settings import derived_api_url
from ..module_utils._host import addresses, literal_addresses, reachable, written_addresses
from ..plugin_utils import _groups


def listen_stream(address: Any, port: Any) -> str:
    """What a socket unit's ListenStream= takes."""
    text = str("" if address is None else address)
    if not reachable.is_address(text):
        raise AnsibleFilterError(
            f"listen_stream: {text} is not a valid address to listen on. Use an IPv4 or IPv6 "
            "address, or * for all."
        )
    return str(reachable.listen_stream(text, port))


def service_url(address: Any, port: Any, scheme: str = "http") -> str:
    """The URL at which the host itself asks a service that listens on an address."""
    return str(addresses.url(str("" if address is None else address), port, scheme))


def bind_address(address: Any) -> str:
    """An address for a program that listens by itself."""
    return str(addresses.canonical(str("" if address is None else address)))


def url_host(address: Any) -> str:
    """A host as a URL names it."""
    return str(written_addresses.in_url(str("" if address is None else address)))


def address_reach(address: Any) -> str:
    """any, loopback, or the address itself."""
    return str(reachable.reach(str("" if address is None else address)))


def certificate_names(hosts: Any) -> list[str]:
    """Addresses and names as a certificate names them, each once; the host's own loopback is among them."""
    if isinstance(hosts, str) or not isinstance(hosts, Sequence):
        raise AnsibleFilterError("certificate_names expects a list of addresses and names")
    found: list[str] = []
    own = ("localhost", written_addresses.IPV4_LOOPBACK, written_addresses.IPV6_LOOPBACK)
    for host in [*map(str, hosts), *own]:
        name = (
            f"IP:{addresses.canonical(host)}" if literal_addresses.is_literal(host) else f"DNS:{host.lower()}"
        )
        if host and name not in found:
            found.append(name)
    return found


def proxy_binds(address: Any, port: Any, ipv6: bool = True) -> list[str]:
    """What HAProxy's bind takes. Both protocols apart, so that IPv4 is written as such."""
    text = str("" if address is None else address)
    if addresses.canonical(text) != addresses.canonical(""):
        return [f"{written_addresses.in_url(text)}:{port}"]
    both = [f"{written_addresses.IPV4_EVERYWHERE}:{port}"]
    return [*both, f"{written_addresses.in_url(addresses.canonical(text))}:{port} v6only"] if ipv6 else both


@pass_context
def front_door(variables: Context, settings: Any, groups: Any, host: Any, hostvars: Any) -> dict[str, Any]:
    """What follows for a host from an https public URL."""
    if not isinstance(settings, Mapping):
        raise AnsibleFilterError("front_door expects a mapping of what the operator set")
    where = settings.get("public_url"), settings.get("front_door")
    if not _front_door.is_wanted(*where) and not _front_door.is_external(*where):
        return _front_door.FrontDoor().as_dict()  # and nothing else is worked out
    names = _groups.own_groups(variables, groups, "front_door")
    everyone = {one for name, hosts in names.items() if name.startswith(PREFIX) for one in hosts} | {
        str(host)
    }
    reached = {name: str((hostvars.get(name) or {}).get("ansible_host") or "") for name in sorted(everyone)}
    return _front_door.front_door(settings, names, str(host), reached).as_dict()


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "listen_stream": listen_stream,
            "service_url": service_url,
            "bind_address": bind_address,
            "url_host": url_host,
            "address_reach": address_reach,
            "api_url": derived_api_url,
            "certificate_names": certificate_names,
            "front_door": front_door,
            "proxy_binds": proxy_binds,
        }
