# SPDX-License-Identifier: GPL-3.0-or-later
"""From where an address can be reached, and what systemd listens on for it."""

from __future__ import annotations

from urllib.parse import urlsplit

from .addresses import canonical, is_everywhere
from .literal_addresses import parsed
from .written_addresses import IPV4_LOOPBACK, bare, in_url

# Reaches of an address; see reach().
ANY, LOOPBACK = "any", "loopback"


def is_address(address: str) -> bool:
    """Whether a service can listen on it: an address, everywhere, or localhost.

    Another host name is none, nor is an address of one link alone (fe80::1%eth0), which no browser names.
    """
    return bare(address) in ("", "*", "localhost") or ("%" not in address and parsed(address) is not None)


def is_loopback(host: str) -> bool:
    """Whether only the host itself reaches it. Takes names as well."""
    name = bare(host).lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    found = parsed(host)
    return found is not None and found.is_loopback


def is_this_host(url_or_host: str) -> bool:
    """Whether a client that is told this host, or the host of this URL, connects to the host it runs on.

    None at all means so, too: libpq's and Redis' clients connect locally then.
    """
    host = urlsplit(url_or_host).hostname or "" if "://" in url_or_host else bare(url_or_host)
    return not host or is_loopback(host)


def reach(address: str) -> str:
    """From where it can be reached: "any", "loopback", or the address itself in one spelling."""
    if is_everywhere(address):
        return ANY
    return LOOPBACK if is_loopback(address) else canonical(address)


def listen_stream(address: str, port: int | str) -> str:
    """What systemd's ListenStream= takes.

    Without an address systemd listens everywhere by both protocols, and by IPv4 where the host has no IPv6.
    """
    if bare(address) in ("", "*"):
        return str(port)
    return f"{in_url(IPV4_LOOPBACK if bare(address) == 'localhost' else address)}:{port}"
