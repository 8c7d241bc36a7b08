# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The components of Mission Control: what the inventory assigns to hosts, and which units run them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

# The inventory's group of all hosts; a component's own group has the name of the component appended.
GROUP = "mission_control"
# What the inventory assigns to hosts. Where a group is missing or empty, all hosts run the component, but for
# OPTIONAL ones, which are only where they are named.
ASSIGNED = ("postgresql", "redis", "backend", "worker", "frontend", "gateway")
OPTIONAL = ("gateway",)
# Names that are kept for components to come. Nothing deploys them yet.
RESERVED = ("proxy",)
# What runs on hosts, in the order in which it is shown.
SERVICES = ("gateway", "backend", "worker", "frontend")
# Guide and habit expect the parts of the application at these places.
LINKS = ("backend", "frontend", "scripts")
# SERVICES are started in their order and stopped in the opposite one.
# Those of the application, which "all" means. The gateway's agents are at work: it is restarted by name only.
APPLICATION = ("backend", "worker", "frontend")
# Where they listen where nothing else is said. Defaults of roles and modules repeat it, and a test compares.
PORTS = {"postgresql": 5432, "redis": 6379, "backend": 8000, "frontend": 3000, "gateway": 18789}
# Those that systemd listens for.
SOCKETS = ("backend", "frontend")
# What all of the application's units belong to.
TARGET = "mission-control.target"
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


def unit_names(services: Collection[str]) -> list[str]:
    """All units of services in the order of stopping.

    What listens goes first, so that no connection starts it again.
    """
    found = []
    for service in ordered(services, stopping=True):
        found += [socket_unit(service)] if service in SOCKETS else []
        found.append(service_unit(service))
    return found


def group_of(component: str) -> str:
    """The inventory's group of a component."""
    return f"{GROUP}_{component}"


def hosts_of(component: str, groups: Mapping[str, Sequence[str]], alone: str = "") -> list[str]:
    """The hosts that run a component.

    :param groups: the inventory's groups with their hosts.
    :param alone: the host that runs everything but the optional components where the inventory has no such
      groups, as in a playbook of somebody else's that uses a single role.
    """
    members = groups.get(group_of(component))
    if not members and component not in OPTIONAL:
        members = groups.get(GROUP) or ([alone] if alone else [])
    return list(members or ())


def components_of(host: str, groups: Mapping[str, Sequence[str]], *, alone: bool = False) -> list[str]:
    """The components that a host runs; see hosts_of for `alone`."""
    return [name for name in ASSIGNED if host in hosts_of(name, groups, host if alone else "")]


COMPONENTS = ("backend", "worker", "frontend")


def parts_of(components: Iterable[str]) -> tuple[str, ...]:
    """The parts of a release that the components run from: the worker runs the backend's code."""
    wanted = set(components)
    return tuple(
        part
        for part, users in (("backend", {"backend", "worker"}), ("frontend", {"frontend"}))
        if wanted & users
    )
