# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which hosts there are, what they run, and by which units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.errors import AnsibleFilterError

from ..module_utils._application import components
from ..plugin_utils._preflight.inventory import suggest
from ..plugin_utils._preflight.model import COMPONENTS, PREFIX


def fault(groups: Mapping[str, Sequence[str]], sources: Iterable[str]) -> str:
    """Why these groups leave nothing to do; empty where the group has a host."""
    if groups.get(PREFIX):
        return ""
    inventory = ", ".join(sources) or "that was given"
    said = f"The inventory {inventory} has no host in the group {PREFIX}, so nothing was done or checked."
    filled = [name for name, hosts in groups.items() if hosts and name not in ("all", "ungrouped")]
    parts = [name for name in filled if name in {f"{PREFIX}_{component}" for component in COMPONENTS}]
    if parts:
        return f"{said} Make {' and '.join(parts)} children of {PREFIX}."
    meant = suggest(PREFIX, [name for name in filled if name != PREFIX])
    if meant:
        return f"{said} Is its group {meant} meant? Call it {PREFIX}, or name another inventory with -i."
    return f"{said} Name the inventory with -i, or put the hosts into that group."


def group_with_hosts(groups: Any) -> str:
    """The group of Mission Control's hosts; an error where it has none."""
    if not isinstance(groups, Mapping):
        raise AnsibleFilterError("group_with_hosts expects the variable groups")
    options = context.CLIARGS
    # These do nothing to any host, and need no inventory.
    reads_only = any(options.get(name) for name in ("syntax", "listtasks", "listtags"))
    said = "" if reads_only else fault(groups, [str(source) for source in options.get("inventory") or ()])
    if said:
        raise AnsibleFilterError(said)
    return str(PREFIX)


def _checked(groups: Any, name: str) -> dict[str, list[str]]:
    if not isinstance(groups, Mapping):
        raise AnsibleFilterError(f"{name} expects the variable groups")
    return {str(group): [str(host) for host in hosts] for group, hosts in groups.items()}


def component_hosts(groups: Any, component: str, alone: str = "") -> list[str]:
    """The hosts that run a component."""
    if component not in components.ASSIGNED:
        raise AnsibleFilterError(
            f"component_hosts: {component} is not a valid choice. Use one of "
            f"{', '.join(components.ASSIGNED)}."
        )
    return components.hosts_of(component, _checked(groups, "component_hosts"), str(alone))


def host_components(groups: Any, host: str, alone: bool = False) -> list[str]:
    """The components that a host runs."""
    return components.components_of(str(host), _checked(groups, "host_components"), alone=bool(alone))


def unit_names(services: Any) -> list[str]:
    """The units of services in the order of stopping."""
    if isinstance(services, (str, Mapping)) or not isinstance(services, Sequence):
        raise AnsibleFilterError("unit_names expects a list of services")
    unknown = [str(name) for name in services if name not in components.SERVICES]
    if unknown:
        raise AnsibleFilterError(
            f"unit_names: {', '.join(unknown)} is not a valid choice. Use {', '.join(components.SERVICES)}."
        )
    return components.unit_names([str(name) for name in services])


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "group_with_hosts": group_with_hosts,
            "component_hosts": component_hosts,
            "host_components": host_components,
            "unit_names": unit_names,
        }
