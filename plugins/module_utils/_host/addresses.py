# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Addresses that services listen on: what they mean, how they are written, and where to ask the service.

An address is IPv4 or IPv6, with or without brackets. Nothing and * mean everywhere, as :: does: by IPv6, and
by IPv4, too. 0.0.0.0 is everywhere by IPv4 alone.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

IPV4_EVERYWHERE = "0.0.0.0"  # noqa: S104 - for comparison, and what services listen on by default
IPV4_LOOPBACK = "127.0.0.1"
IPV6_LOOPBACK = "::1"
# Reaches of an address; see reach().
ANY, LOOPBACK = "any", "loopback"


def bare(address: str) -> str:
    """The address without brackets and blanks."""
    text = str(address).strip()
    return text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(bare(address))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def canonical(address: str) -> str:
    """One spelling of an address; a name is returned as it is, and everywhere by both protocols as ::."""
    if bare(address) in ("", "*"):
        return "::"
    found = _parsed(address)
    return bare(address) if found is None else str(found)


def is_address(address: str) -> bool:
    """Whether a service can listen on it: an address, everywhere, or localhost.

    Another host name is none, nor is an address of one link alone (fe80::1%eth0), which no browser names.
    """
    return bare(address) in ("", "*", "localhost") or ("%" not in address and _parsed(address) is not None)


def is_everywhere(address: str) -> bool:
    """Whether it stands for all addresses of a host, of one protocol or of both."""
    return canonical(address) in (IPV4_EVERYWHERE, "::")


def is_loopback(host: str) -> bool:
    """Whether only the host itself reaches it. Takes names as well."""
    name = bare(host).lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    found = _parsed(host)
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


def ask_at(address: str) -> str:
    """Where on the host itself to ask a service that listens there, without brackets."""
    if bare(address) in ("", "*") or canonical(address) == IPV4_EVERYWHERE:
        return IPV4_LOOPBACK
    return IPV6_LOOPBACK if is_everywhere(address) else bare(address)


def in_url(host: str) -> str:
    """The host as URLs, and all that put a port behind it, write it: IPv6 in brackets."""
    return f"[{bare(host)}]" if ":" in bare(host) else bare(host)


def url(address: str, port: int | str, scheme: str = "http") -> str:
    """Where the host itself asks a service that listens on an address, without a slash at the end."""
    return f"{scheme}://{in_url(ask_at(address))}:{port}"


def listen_stream(address: str, port: int | str) -> str:
    """What systemd's ListenStream= takes.

    Without an address systemd listens everywhere by both protocols, and by IPv4 where the host has no IPv6.
    """
    if bare(address) in ("", "*"):
        return str(port)
    return f"{in_url(IPV4_LOOPBACK if bare(address) == 'localhost' else address)}:{port}"


def split(text: str) -> tuple[str, int] | None:
    """Address and port of what ListenStream= or a URL names; None where it is none, such as a path."""
    host, _colon, port = text.rpartition(":")
    return (bare(host), int(port)) if port.isascii() and port.isdigit() else None
