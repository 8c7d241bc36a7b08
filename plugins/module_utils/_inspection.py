# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is and what stands on it, in one pass (see the module host_info)."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._adoption.discovery import inspect as inspect_adoption
from ._application import loaded_firewall
from ._application.installed_user import installed_user
from ._application.notice_file import read_notice
from ._gateway.placing import facts as gateway_facts
from ._host import journal_storage
from ._host.account_names import group_name, user_comment
from ._host.accounts import Account, expand_home, find_account
from ._host.ageing import Ageing, ageing
from ._host.commands import Runner, run
from ._host.environment_digest import environment_digest
from ._host.errors import HostError
from ._host.facts import (
    disk_facts,
    file_facts,
    interpreter_facts,
    listener_facts,
    os_facts,
    package_facts,
    python_facts,
    system_unit_facts,
    user_namespaces,
)
from ._host.journal_query import persistent
from ._host.memory import memory_facts
from ._host.process_environment import read_environment
from ._host.processes import process_evidence
from ._host.systemd import UserManager
from ._host.unit_names import unit_name
from ._host.unit_status import unit_status
from ._host.user_files import UserFiles
from ._redaction import Redactor
from ._release.places import release_of
from ._release.records import release_facts


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
    firewall: bool = False
    adoption: bool = False
    secret_settings: Sequence[str] = ()
    gateway_user: str = ""


def user_facts(name: str, account: Account | None, run: Runner = run) -> dict[str, Any]:
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
            "comment": "",
            "ageing": Ageing().as_dict(datetime.date.today()),
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
        "comment": user_comment(account.name),
        "ageing": ageing(account.name, run).as_dict(datetime.date.today()),
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
    environment = read_environment(pid)
    return {
        "pid": evidence.pid,
        "cwd": evidence.cwd,
        "exe": evidence.exe,
        "command": Redactor().data(evidence.command),
        "started": evidence.started,
        "deleted": evidence.deleted,
        "release": release_of(evidence.cwd, root),
        "environment_digest": None if environment is None else environment_digest(environment),
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
        "interpreter": interpreter_facts(),
        "cpus": os.cpu_count() or 1,
        "memory": memory_facts(),
        "user_namespaces": user_namespaces(),
        "disk": disk_facts([expand(path) for path in request.paths]),
        "packages": package_facts(request.packages, run),
        "listeners": listener_facts(request.ports),
        "system_units": system_unit_facts(request.system_units, run),
        "journal": {"persistent": persistent(), **journal_storage.facts(run)},
        "time": time.time(),
        "user": user_facts(request.user, account, run) if request.user else None,
        "installed_user": installed_user(),
        "units": unit_facts(account, request.units, root, run),
        "gateway": gateway_facts(request.gateway_user, account) if request.user else None,
        "firewall": loaded_firewall.look(run) if request.firewall else None,
        "adoption": inspect_adoption(account, root, run, request.secret_settings)
        if request.adoption
        else None,
    }
    names = [expand(path) for path in request.files]
    theirs = [path for path in names if account is not None and _is_of(account, path, root)]
    found = _look(account, root, theirs)
    result["files"] = {path: found["files"][path] if path in theirs else file_facts(path) for path in names}
    result["releases"] = found["releases"]
    result["maintenance"] = found["maintenance"]
    return result


def _is_of(account: Account, path: str, root: str | None) -> bool:
    """Whether a path leads to where the user may put things."""
    return any(f"{path}/".startswith(f"{top.rstrip('/')}/") for top in (account.home, root) if top)


def _look(account: Account | None, root: str | None, paths: Sequence[str]) -> dict[str, Any]:
    """What is the user's, seen with the user's rights."""

    def look() -> dict[str, Any]:
        notice = read_notice(Path(root)) if root else None
        return {
            "files": {path: file_facts(path) for path in paths},
            "releases": release_facts(root) if root else None,
            "maintenance": notice.sentence if notice else "",
        }

    if account is None or os.geteuid() != 0:
        return look()
    found: dict[str, Any] = UserFiles(account).look(look)
    return found
