# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether something is an address, and no name."""

from __future__ import annotations

import ipaddress

from .written_addresses import bare


def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(bare(address))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def is_literal(host: str) -> bool:
    """Whether it is an address, and no name."""
    return parsed(host) is not None
