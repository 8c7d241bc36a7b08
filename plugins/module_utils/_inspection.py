# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host is and what stands on it, in one pass (see the module host_info)."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._adoption.discovery import inspect as inspect_adoption
from ._application import maintenance
from ._host.accounts import Account, acting_as, expand_home, find_account, group_name
from ._host.commands import Runner, run
from ._host.errors import HostError
from ._host.facts import (
    disk_facts,
    file_facts,
    listener_facts,
    memory_facts,
    os_facts,
    package_facts,
    python_facts,
    system_unit_facts,
    user_namespaces,
)
from ._host.journal_query import persistent
from ._host.processes import process_evidence
from ._host.systemd import UserManager, unit_name, unit_status
from ._redaction import Redactor
from ._release.records import release_facts, release_of


@dataclass(frozen=True)
class HostRequest:
    user: str | None = None
    root: str | None = None
    paths: Sequence[str] = ()
    packages: Sequence[str] = ()
    files: Sequence[str] = ()
    units: Sequence[str] = ()
    system_units: Sequence[str] = ()
    ports: Sequence[int] = ()
    adoption: bool = False
    secret_settings: Sequence[str] = ()


def user_facts(name: str, account: Account | None) -> dict[str, Any]:
    if account is None:
        return {
            "exists": False,
            "name": name,
            "uid": None,
            "gid": None,
            "group": None,
            "home": None,
            "shell": None,
            "system": False,
            "lingering": False,
            "manager": {"running": False, "runtime_directory": None},
        }
    manager = UserManager(account)
    return {
        "exists": True,
        "name": account.name,
        "uid": account.uid,
        "gid": account.gid,
        "group": group_name(account.gid),
        "home": account.home,
        "shell": account.shell,
        # journald keeps the lines of system accounts out of the users' journals.
        "system": account.uid < 1000,
        "lingering": manager.lingering,
        "manager": {"running": manager.running, "runtime_directory": account.runtime_directory},
    }


def unit_facts(
    account: Account | None, units: Sequence[str], root: str | None, run: Runner = run
) -> dict[str, Any]:
    """Each user unit with what its main process really is; None where there is no manager to ask."""
    names = [unit_name(unit) for unit in units]
    if account is None or not names:
        return dict.fromkeys(names)
    manager = UserManager(account, run)
    try:
        blocks = manager.show(names)
    except HostError:
        return dict.fromkeys(names)
    result: dict[str, Any] = {}
    for name, block in blocks.items():
        status = unit_status(name, block)
        result[name] = status.as_dict() | {"process": _process_facts(status.main_pid, root)}
    return result


def _process_facts(pid: int, root: str | None) -> dict[str, Any] | None:
    evidence = process_evidence(pid) if pid else None
    if evidence is None:
        return None
    return {
        "pid": evidence.pid,
        "cwd": evidence.cwd,
        "exe": evidence.exe,
        "command": Redactor().data(evidence.command),
        "started": evidence.started,
        "deleted": evidence.deleted,
        "release": release_of(evidence.cwd, root),
        "environment_digest": evidence.environment_digest,
        "rss_bytes": evidence.rss_bytes,
        "seccomp": evidence.seccomp,
        "no_new_privs": evidence.no_new_privs,
    }


def collect(request: HostRequest, run: Runner = run) -> dict[str, Any]:
    account = None
    if request.user:
        try:
            account = find_account(request.user)
        except HostError as error:
            if error.kind != "no_such_user":
                raise

    def expand(path: str) -> str:
        if account is None and request.user and path.startswith("~"):
            # The home that useradd will give the user; good enough for a prediction.
            return f"/home/{request.user}{path[1:]}"
        return expand_home(path, account)

    root = expand(request.root) if request.root else None
    result: dict[str, Any] = {
        "os": os_facts(),
        "python": python_facts(),
        "cpus": os.cpu_count() or 1,
        "memory": memory_facts(),
        "user_namespaces": user_namespaces(),
        "disk": disk_facts([expand(path) for path in request.paths]),
        "packages": package_facts(request.packages, run),
        "listeners": listener_facts(request.ports),
        "system_units": system_unit_facts(request.system_units, run),
        "journal": {"persistent": persistent()},
        "time": time.time(),
        "user": user_facts(request.user, account) if request.user else None,
        "units": unit_facts(account, request.units, root, run),
        "adoption": inspect_adoption(account, root, run, request.secret_settings)
        if request.adoption
        else None,
    }
    result["files"] = {}
    for path in map(expand, request.files):
        with acting_as(_reader(account, path)):
            result["files"][path] = file_facts(path)
    with acting_as(_reader(account, root)):
        result["releases"] = release_facts(root) if root else None
        notice = maintenance.read(Path(root)) if root else None
    result["maintenance"] = notice.sentence if notice else ""
    return result


def _reader(account: Account | None, path: str | None) -> Account | None:
    """Whose rights to read a path with: what lies in the user's home is read as the user."""
    if account is None or path is None or os.geteuid() != 0:
        return None
    return account if path.startswith(account.home.rstrip("/") + "/") else None
