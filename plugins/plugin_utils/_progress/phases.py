# SPDX-License-Identifier: GPL-3.0-or-later
"""To which phase of a deployment a task belongs."""

from __future__ import annotations

import re
from typing import Any

COLLECTION = "openclaw.mission_control"
# By role and file of tasks, or by role.
PHASES = {
    "common": "packages and user",
    "common/main": "preflight",
    "common/inspect": "preflight",
    "postgresql": "database server",
    "redis": "Redis",
    "authority": "certificates",
    "proxy": "front door",
    "firewall": "firewall",
    "source": "source",
    "release": "release",
    "release/build": "begin of the build",
    "release/collect_build": "built meanwhile",
    "release/activate": "start",
    "release/services": "start",
    "release/verify": "gate",
    "release/gate": "gate",
    "release/revert": "return to the release of before",
    "release/prune": "removal of old releases",
    "release/choose": "choice of the release",
    "release/renew": "choice of the release",
    "release/renewed": "choice of the release",
    "release/passed": "gate",
    "release/schema": "database schema",
    "release/rollback": "start",
    "deployment": "lock and history",
    "deployment/maintenance": "maintenance",
    "backend": "settings",
    "backend/migrate": "migration",
    "backend/backup": "backup",
    "backend/owner": "start",
    "worker": "settings",
    "frontend": "settings",
    "verify": "gate",
    "backup": "backups",
    "bundle": "bundle",
    "command": "host command",
    "gateway": "gateway",
}
# Tasks that stand in no role.
OTHER = "other tasks"
_INCLUDES = ("ansible.builtin.include_role", "ansible.builtin.include_tasks")
_TASKS = re.compile(r"/roles/(\w+)/tasks/(\w+)\.ya?ml(?::\d+)?$")


def tasks_of(path: str) -> str:
    """The role and the file of a task; empty for one that stands elsewhere."""
    match = _TASKS.search(path)
    return f"{match[1]}/{match[2]}" if match else ""


def phase_of(path: str, role: str) -> str:
    """The phase of a task, by the file it stands in and the name of its role."""
    if tasks_of(path) in PHASES:
        return PHASES[tasks_of(path)]
    name = role.removeprefix(f"{COLLECTION}.")
    return PHASES.get(name, name or OTHER)


def phase_of_task(task: Any) -> str:
    """The phase of one of Ansible's tasks; empty for one that includes others, with phases of their own."""
    if is_include(task):
        return ""
    role = str(task._role.get_name()) if task._role is not None else ""
    path = str(task.get_path() or "")
    if task.resolved_action == "ansible.builtin.validate_argument_spec" and role:
        # It stands in no file, and comes before the role's first task.
        path = f"/roles/{role.removeprefix(f'{COLLECTION}.')}/tasks/main.yml"
    return phase_of(path, role)


def is_include(task: Any) -> bool:
    """Whether a task does nothing but include others."""
    return task.resolved_action in _INCLUDES
