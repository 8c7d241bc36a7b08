# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Filters that make tables and lists of what the daily commands found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _operations_settings, _service_tables


def _by_host(value: Any, name: str) -> Mapping[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping) or not all(isinstance(item, Mapping) for item in value.values()):
        raise AnsibleFilterError(f"{name} expects a dictionary of results by the names of their hosts")
    return value


def status_table(value: Any) -> str:
    """One table over the results of services_info, by the names of the hosts."""
    result: str = _service_tables.status_table(_by_host(value, "status_table"))
    return result


def actions_table(value: Any, predicted: bool = False) -> str:
    """What the module services did, or would do, by the names of the hosts."""
    result: str = _service_tables.actions_table(_by_host(value, "actions_table"), predicted)
    return result


def merge_logs(value: Any, lines: int = 100) -> list[dict[str, Any]]:
    """The last records of service_logs over all hosts, in the order of time."""
    result: list[dict[str, Any]] = _service_tables.merge_logs(_by_host(value, "merge_logs"), int(lines))
    return result


def _entries(value: Any, name: str) -> Sequence[Mapping[str, Any]]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise AnsibleFilterError(f"{name} expects a list of records as merge_logs returns them")
    return value


def log_list(value: Any) -> str:
    """Records as a list for people."""
    result: str = _service_tables.log_list(_entries(value, "log_list"))
    return result


def log_json_lines(value: Any) -> str:
    """Records as JSON, one a line."""
    result: str = _service_tables.log_json_lines(_entries(value, "log_json_lines"))
    return result


def settings_problems(values: Any, allowed: Any = None) -> list[str]:
    """All mistakes in the settings of a daily command."""
    for value in (values, allowed or {}):
        if not isinstance(value, Mapping):
            raise AnsibleFilterError("settings_problems expects settings by their names")
    unknown = [str(name) for name in values if name not in _operations_settings.RULES]
    if unknown:
        raise AnsibleFilterError(f"settings_problems knows no setting {', '.join(unknown)}")
    return _operations_settings.problems(values, allowed or {})


def plan_obstacles(value: Any) -> list[str]:
    """Why services cannot be started or stopped everywhere."""
    return _operations_settings.obstacles(_by_host(value, "plan_obstacles"))


def left_behind(value: Any) -> list[str]:
    """What an uninstallation leaves on a host."""
    if not isinstance(value, Mapping):
        raise AnsibleFilterError("left_behind expects a dictionary")
    return _operations_settings.left_behind(value)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "status_table": status_table,
            "actions_table": actions_table,
            "merge_logs": merge_logs,
            "log_list": log_list,
            "log_json_lines": log_json_lines,
            "settings_problems": settings_problems,
            "plan_obstacles": plan_obstacles,
            "left_behind": left_behind,
        }
