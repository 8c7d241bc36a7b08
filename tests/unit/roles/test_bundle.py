# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A bundle has to hold every Debian package that any role installs, whoever adds one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.installation import NEEDED

ROLES = Path(__file__).parents[3] / "roles"
# What the packages of a task are computed from, and how the bundle names the same.
KNOWN = {
    "__common_missing_packages": ("common_packages", "common_additional_packages"),
    # Some of these, and of what the other roles need.
    "common_postponed": ("common_packages",),
    "__postgresql_missing": ("postgresql_needs.packages",),
    "__redis_missing": ("redis_needs.packages",),
    "__proxy_missing": ("proxy_needs.packages",),
    "__firewall_missing": ("firewall_needs.packages",),
    "command_result.missing_packages": ("command_needs.packages",),
}


def needs(role: str) -> str:
    """What a role says that it needs, as it stands there."""
    path = ROLES / role / "vars/main.yml"
    told = yaml.safe_load(path.read_text()) if path.exists() else {}
    return str((told.get(f"{role}_needs") or {}).get("packages", ""))


def installing(tasks: Any) -> Iterator[str]:
    """The names that a file's tasks give to apt."""
    for task in tasks or ():
        if "common_apt_packages" in (task.get("vars") or {}):
            names = task["vars"]["common_apt_packages"]
            yield from names if isinstance(names, list) else [names]
        for part in ("block", "rescue", "always"):
            yield from installing(task.get(part))


def test_every_package_that_a_role_installs_is_in_a_bundle() -> None:
    told = yaml.safe_load((ROLES / "bundle/vars/main.yml").read_text())
    bundled = f"{told['__bundle_packages']} {told['__bundle_packages_of']}"
    found = 0
    for path in sorted(ROLES.glob("*/tasks/*.yml")):
        role = path.parts[-3]
        if role == "bundle":
            continue
        for name in installing(yaml.safe_load(path.read_text())):
            found += 1
            words = KNOWN.get(name.strip("{} "))
            if words is None:
                assert f"'{name}'" in needs(role), f"{path}: add {name} to {role}_needs"
                words = (f"{role}_needs.packages",)
            for word in words:
                assert word in bundled, f"{path}: add {word} to __bundle_packages of the role bundle"
    assert found >= 6


def test_no_other_task_calls_apt() -> None:
    """Where it stands, it keeps secrets out of its command line."""
    calling = {path for path in ROLES.glob("*/tasks/*.yml") if "ansible.builtin.apt:" in path.read_text()}
    assert calling == {ROLES / "common/tasks/apt.yml"}


def test_what_the_host_command_calls_is_among_what_its_role_needs() -> None:
    assert [package for package in NEEDED if f"'{package}'" not in needs("command")] == []
