# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, and addresses as networks of one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from . import addresses, literal_addresses

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network(text: object, *, exact: bool = True) -> Network:
    """An address, or a network; ValueError where it is neither.

    :param exact: whether 10.0.0.7/24, an address within its network, is refused; else it is that network.
    """
    address = str(text).strip()
    return ipaddress.ip_network(
        addresses.canonical(address) if literal_addresses.is_literal(address) else address, strict=exact
    )


def written(networks: Iterable[Network]) -> tuple[str, ...]:
    """As nft writes them, in one order, none of them twice."""
    found = sorted(set(networks), key=lambda one: (one.version, one))
    return tuple(str(one.network_address if one.prefixlen == one.max_prefixlen else one) for one in found)
