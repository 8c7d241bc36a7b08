# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts of a run as an Ansible inventory in YAML."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from .common import SandboxError


def host_variables(address: str, key: str, options: Sequence[str], persist: Sequence[str]) -> dict[str, str]:
    return {
        "ansible_host": address,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": key,
        "ansible_ssh_args": shlex.join(persist),
        "ansible_ssh_common_args": shlex.join(options),
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def parse_groups(values: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    """GROUP for all hosts, GROUP=HOST,HOST for some, as given on the command line."""
    groups: dict[str, list[str]] = {}
    for value in values:
        group, separator, members = value.partition("=")
        chosen = members.split(",") if separator else list(names)
        for member in chosen:
            if member not in names:
                raise SandboxError(f"--group {value}: there is no host {member!r} in this inventory.")
        groups.setdefault(group, []).extend(chosen)
    return groups


def render_json(hosts: Mapping[str, Mapping[str, str]], groups: Mapping[str, Sequence[str]]) -> str:
    """As Ansible expects it of an inventory program."""
    tree: dict[str, object] = {
        group: {"hosts": list(dict.fromkeys(members))} for group, members in groups.items()
    }
    tree |= {"all": {"hosts": list(hosts)}, "_meta": {"hostvars": hosts}}
    return json.dumps(tree, indent=2) + "\n"


def render(hosts: Mapping[str, Mapping[str, str]], groups: Mapping[str, Sequence[str]]) -> str:
    """YAML; scalars are quoted as in JSON, of which YAML is a superset."""
    if not hosts:
        return "all:\n  hosts: {}\n"
    lines = ["all:", "  hosts:"]
    for name, variables in hosts.items():
        lines.append(f"    {name}:")
        lines += [f"      {key}: {json.dumps(value)}" for key, value in variables.items()]
    if groups:
        lines.append("  children:")
        for group, members in groups.items():
            lines += [f"    {group}:", "      hosts:"]
            lines += [f"        {member}: {{}}" for member in dict.fromkeys(members)]
    return "\n".join([*lines, ""])
