# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters that write the addresses of services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._application.settings import derived_api_url
from ..module_utils._host import addresses


def listen_stream(address: Any, port: Any) -> str:
    """What a socket unit's ListenStream= takes."""
    text = str("" if address is None else address)
    if not addresses.is_address(text):
        raise AnsibleFilterError(
            f"listen_stream: {text} is not a valid address to listen on. Use an IPv4 or IPv6 "
            "address, or * for all."
        )
    return str(addresses.listen_stream(text, port))


def service_url(address: Any, port: Any, scheme: str = "http") -> str:
    """The URL at which the host itself asks a service that listens on an address."""
    return str(addresses.url(str("" if address is None else address), port, scheme))


def bind_address(address: Any) -> str:
    """An address for a program that listens by itself."""
    return str(addresses.canonical(str("" if address is None else address)))


def url_host(address: Any) -> str:
    """A host as a URL names it."""
    return str(addresses.in_url(str("" if address is None else address)))


def address_reach(address: Any) -> str:
    """any, loopback, or the address itself."""
    return str(addresses.reach(str("" if address is None else address)))


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
        }
