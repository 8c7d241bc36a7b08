# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The components of Mission Control: what the inventory assigns to hosts, and which units run them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

# What runs on hosts, in the order in which it is shown.
SERVICES = ("gateway", "backend", "worker", "frontend")
# Guide and habit expect the parts of the application at these places.
LINKS = ("backend", "frontend", "scripts")
# SERVICES are started in their order and stopped in the opposite one.
# Those of the application, which "all" means. The gateway's agents are at work: it is restarted by name only.
APPLICATION = ("backend", "worker", "frontend")
_NAMES = {"gateway": "openclaw-gateway"}


def service_unit(service: str) -> str:
    """The unit of a service."""
    return f"{_NAMES.get(service, f'mission-control-{service}')}.service"


def socket_unit(service: str) -> str:
    """The unit of the socket that a service may have."""
    return service_unit(service).removesuffix(".service") + ".socket"


def ordered(names: Collection[str], *, stopping: bool = False) -> list[str]:
    """Services in the order of starting, or of stopping."""
    found = [name for name in SERVICES if name in names]
    return found[::-1] if stopping else found


COMPONENTS = ("backend", "worker", "frontend")


def parts_of(components: Iterable[str]) -> tuple[str, ...]:
    """The parts of a release that the components run from: the worker runs the backend's code."""
    wanted = set(components)
    return tuple(
        part
        for part, users in (("backend", {"backend", "worker"}), ("frontend", {"frontend"}))
        if wanted & users
    )
