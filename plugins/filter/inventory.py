# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which hosts there are, what they run, and by which units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.errors import AnsibleFilterError
from jinja2 import pass_context
from jinja2.runtime import Context

from ..module_utils._application import assignment, components, service_order
from ..module_utils._host import proxy_exceptions
from ..plugin_utils import _groups
from ..plugin_utils._preflight.inventory import suggest
from ..plugin_utils._preflight.model import COMPONENTS


def fault(groups: Mapping[str, Sequence[str]], sources: Iterable[str], group: str = assignment.GROUP) -> str:
    """Why these groups leave nothing to do; empty where the group has a host."""
    if groups.get(group):
        return ""
    inventory = ", ".join(sources) or "that was given"
    named_by = _groups.VARIABLE
    named = "" if group == assignment.GROUP else f" ({named_by})"
    said = (
        f"The inventory {inventory} has no host in the group {group}{named}, so nothing was done or checked."
    )
    filled = [name for name, hosts in groups.items() if hosts and name not in ("all", "ungrouped")]
    parts = [name for name in filled if name in {assignment.group_of(one, group) for one in COMPONENTS}]
    if parts:
        return f"{said} Make {' and '.join(parts)} children of {group}."
    meant = suggest(group, [name for name in filled if name != group], group)
    if meant:
        return (
            f"{said} Is its group {meant} meant? Name it with -e {named_by}={meant}, call it {group},"
            " or name another inventory with -i."
        )
    return f"{said} Name the inventory with -i, put the hosts into that group, or name theirs ({named_by})."


@pass_context
def group_with_hosts(variables: Context, groups: Any) -> str:
    """The group of Mission Control's hosts; an error where it has none."""
    if not isinstance(groups, Mapping):
        raise AnsibleFilterError("group_with_hosts expects the variable groups")
    options = context.CLIARGS
    group = _groups.group_called(variables)
    # These do nothing to any host, and need no inventory.
    reads_only = any(options.get(name) for name in ("syntax", "listtasks", "listtags"))
    sources = [str(source) for source in options.get("inventory") or ()]
    said = "" if reads_only else fault(groups, sources, group)
    if said:
        raise AnsibleFilterError(said)
    return group


@pass_context
def deployment_hosts(variables: Context, groups: Any, alone: str = "") -> list[str]:
    """All hosts of the deployment."""
    named = _groups.own_groups(variables, groups, "deployment_hosts").get(assignment.GROUP)
    return named or ([str(alone)] if alone else [])


@pass_context
def component_hosts(variables: Context, groups: Any, component: str, alone: str = "") -> list[str]:
    """The hosts that run a component."""
    if component not in assignment.ASSIGNED:
        raise AnsibleFilterError(
            f"component_hosts: {component} is not a valid choice. Use one of "
            f"{', '.join(assignment.ASSIGNED)}."
        )
    own = _groups.own_groups(variables, groups, "component_hosts")
    return assignment.hosts_of(component, own, str(alone))


@pass_context
def host_components(variables: Context, groups: Any, host: str, alone: bool = False) -> list[str]:
    """The components that a host runs."""
    own = _groups.own_groups(variables, groups, "host_components")
    return assignment.components_of(str(host), own, alone=bool(alone))


def unit_names(services: Any) -> list[str]:
    """The units of services in the order of stopping."""
    if isinstance(services, (str, Mapping)) or not isinstance(services, Sequence):
        raise AnsibleFilterError("unit_names expects a list of services")
    unknown = [str(name) for name in services if name not in components.SERVICES]
    if unknown:
        raise AnsibleFilterError(
            f"unit_names: {', '.join(unknown)} is not a valid choice. Use {', '.join(components.SERVICES)}."
        )
    return service_order.unit_names([str(name) for name in services])


@pass_context
def direct_hosts(variables: Context, groups: Any, hostvars: Any, addresses: Any = ()) -> list[str]:
    """The hosts that are not to be asked by way of a proxy."""
    names = _groups.own_groups(variables, groups, "direct_hosts").get(assignment.GROUP, [])
    if isinstance(addresses, (str, Mapping)):
        raise AnsibleFilterError("direct_hosts expects a list of addresses")
    found: list[str] = []
    for name in names:
        found += [name, str((hostvars.get(name) or {}).get("ansible_host") or "")]
    return list(proxy_exceptions.hosts_of([*found, *map(str, addresses)]))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "group_with_hosts": group_with_hosts,
            "deployment_hosts": deployment_hosts,
            "component_hosts": component_hosts,
            "host_components": host_components,
            "unit_names": unit_names,
            "direct_hosts": direct_hosts,
        }
