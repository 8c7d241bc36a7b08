# SPDX-License-Identifier: GPL-3.0-or-later
"""How addresses are written: with and without brackets, before a port, and those that everybody knows."""

from __future__ import annotations

IPV4_EVERYWHERE = "0.0.0.0"  # noqa: S104 - for comparison, and what services listen on by default
IPV4_LOOPBACK = "127.0.0.1"
IPV6_LOOPBACK = "::1"


def bare(address: str) -> str:
    """The address without brackets and blanks."""
    text = str(address).strip()
    return text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text


def in_url(host: str) -> str:
    """The host as URLs, and all that put a port behind it, write it: IPv6 in brackets."""
    return f"[{bare(host)}]" if ":" in bare(host) else bare(host)
