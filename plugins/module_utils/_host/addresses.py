# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses that services listen on: what they mean, and where to ask the service.

An address is IPv4 or IPv6, with or without brackets. Nothing and * mean everywhere, as :: does: by IPv6, and
by IPv4, too. 0.0.0.0 is everywhere by IPv4 alone.
"""

from __future__ import annotations

from .literal_addresses import parsed
from .written_addresses import IPV4_EVERYWHERE, IPV4_LOOPBACK, IPV6_LOOPBACK, bare, in_url


def canonical(address: str) -> str:
    """One spelling of an address; a name is returned as it is, and everywhere by both protocols as ::."""
    if bare(address) in ("", "*"):
        return "::"
    found = parsed(address)
    return bare(address) if found is None else str(found)


def is_everywhere(address: str) -> bool:
    """Whether it stands for all addresses of a host, of one protocol or of both."""
    return canonical(address) in (IPV4_EVERYWHERE, "::")


def ask_at(address: str) -> str:
    """Where on the host itself to ask a service that listens there, without brackets."""
    if bare(address) in ("", "*") or canonical(address) == IPV4_EVERYWHERE:
        return IPV4_LOOPBACK
    return IPV6_LOOPBACK if is_everywhere(address) else bare(address)


def url(address: str, port: int | str, scheme: str = "http") -> str:
    """Where the host itself asks a service that listens on an address, without a slash at the end."""
    return f"{scheme}://{in_url(ask_at(address))}:{port}"
