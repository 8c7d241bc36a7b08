# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host runs which components: what the inventory assigns by its groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# The inventory's group of all hosts; a component's own group has the name of the component appended.
GROUP = "mission_control"
# What the inventory assigns to hosts. Where a group is missing or empty, all hosts run the component, but for
# OPTIONAL ones, which are only where they are named.
ASSIGNED = ("postgresql", "redis", "backend", "worker", "frontend", "gateway")
OPTIONAL = ("gateway",)
# The front door is there where the public URL asks for one (front_door.py). Without a group of its own it is
# beside the pages.
DOOR = "proxy"
_BESIDE = {DOOR: "frontend"}


def group_of(component: str, group: str = GROUP) -> str:
    """The inventory's group of a component."""
    return f"{group}_{component}"


def own_groups(groups: Mapping[str, Sequence[str]], group: str = GROUP) -> dict[str, list[str]]:
    """The inventory's groups as those of one deployment, by the names that all else here knows.

    :param groups: the inventory's groups with their hosts.
    :param group: what the group of the deployment's hosts is called; the components' groups begin with it.
    """
    names = {GROUP: group, **{group_of(name): group_of(name, group) for name in (*ASSIGNED, DOOR)}}
    others = {name: hosts for name, hosts in groups.items() if name not in {*names, *names.values()}}
    own = {name: groups[called] for name, called in names.items() if called in groups}
    return {str(name): [str(host) for host in hosts] for name, hosts in {**others, **own}.items()}


def hosts_of(component: str, groups: Mapping[str, Sequence[str]], alone: str = "") -> list[str]:
    """The hosts that run a component.

    :param groups: the inventory's groups with their hosts.
    :param alone: the host that runs everything but the optional components where the inventory has no such
      groups, as in a playbook of somebody else's that uses a single role.
    """
    members = groups.get(group_of(component))
    if not members and component in _BESIDE:
        return hosts_of(_BESIDE[component], groups, alone)
    if not members and component not in OPTIONAL:
        members = groups.get(GROUP) or ([alone] if alone else [])
    return list(members or ())


def components_of(host: str, groups: Mapping[str, Sequence[str]], *, alone: bool = False) -> list[str]:
    """The components that a host runs; see hosts_of for `alone`."""
    return [name for name in ASSIGNED if host in hosts_of(name, groups, host if alone else "")]
