# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The inventory's groups as those of the deployment that a run is about.

Filters that take the variable groups look up by themselves what its group is called: it is the same for a
whole run, and `hosts:` of a playbook needs it as well as a default of a role.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from jinja2.runtime import Context

from ..module_utils._application import assignment

# What names it: given with -e, or in the vars of an import_playbook.
VARIABLE = "mission_control_group"


def group_called(context: Context) -> str:
    """What the group of the deployment's hosts is called."""
    return str(context.get(VARIABLE) or assignment.GROUP)


def own_groups(context: Context, groups: Any, name: str) -> dict[str, list[str]]:
    """The groups by the names that the collection knows.

    :param name: of the filter, for its error.
    """
    if not isinstance(groups, Mapping):
        raise AnsibleFilterError(f"{name} expects the variable groups")
    return assignment.own_groups(groups, group_called(context))
