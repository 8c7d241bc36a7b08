# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which services are started, the opposite of stopping them, and the sockets beside them."""

from __future__ import annotations

from collections.abc import Collection

from .components import SERVICES, service_unit

# Those that systemd listens for.
SOCKETS = ("backend", "frontend")


def socket_unit(service: str) -> str:
    """The unit of the socket that a service may have."""
    return service_unit(service).removesuffix(".service") + ".socket"


def ordered(names: Collection[str], *, stopping: bool = False) -> list[str]:
    """Services in the order of starting, or of stopping."""
    found = [name for name in SERVICES if name in names]
    return found[::-1] if stopping else found


def unit_names(services: Collection[str]) -> list[str]:
    """All units of services in the order of stopping.

    What listens goes first, so that no connection starts it again.
    """
    found = []
    for service in ordered(services, stopping=True):
        found += [socket_unit(service)] if service in SOCKETS else []
        found.append(service_unit(service))
    return found
