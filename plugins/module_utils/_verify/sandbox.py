# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the sandboxes that units ask for are really around their processes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from .._application.components import service_unit
from .._cures import CONSIDERED
from .._gateway.placement_record import read_record
from .._host.accounts import Account, find_account
from .._host.acting_as import acting_as
from .._host.errors import HostError
from .._host.proc_files import PROC
from .._host.processes import ProcessEvidence, process_evidence
from .._host.root_questions import answered_by_root
from .._host.systemd import UserManager, main_pid
from .._host.unit_names import unit_name
from .context import Context
from .verdict import FAIL, SKIP, WARN, Verdict

# Directives that filter system calls, and those that give a process another view of the file system.
SECCOMP = (
    "SystemCallFilter",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "MemoryDenyWriteExecute",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "LockPersonality",
    "SystemCallArchitectures",
)
MOUNTS = (
    "ProtectSystem",
    "ProtectHome",
    "PrivateTmp",
    "PrivateDevices",
    "ReadOnlyPaths",
    "InaccessiblePaths",
)
# Over these a process has its user's manager start whatever it likes, outside of the sandbox. In %t.
BUSES = ("bus", "systemd/private")
# A child of systemd is called one of these until all is in force and it becomes the program: systemd-executor
# (the kernel cuts the name off), then "(program)" (exec_invoke in systemd's exec-invoke.c).
STARTING = ("(", "systemd-execut")
OFF = ("", "no", "false", "0", "~", "[not set]")


def reachable_buses(
    pid: int, account: Account, proc: Path = PROC, runtime: str | None = None
) -> tuple[str, ...]:
    """Which of the manager's sockets the process can connect to, seen from inside its own mounts."""
    found = []
    for name in BUSES:
        path = f"{proc}/{pid}/root{runtime or account.runtime_directory}/{name}"
        with acting_as(account), socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.settimeout(2)
            probe.connect(path)
            found.append(name)
    return tuple(found)


def renewed_buses(process: ProcessEvidence, account: Account, names: Sequence[str]) -> tuple[str, ...]:
    """Which of the manager's sockets are younger than a process: what hid the old ones hides them no more."""
    found = []
    for name in names:
        with acting_as(account), contextlib.suppress(OSError):
            made = Path(account.runtime_directory, name).stat().st_mtime
            found += [name] if made > process.started else []
    return tuple(found)


def judge_sandbox(
    unit: str,
    properties: Mapping[str, str],
    process: ProcessEvidence | None,
    manager: ProcessEvidence | None,
    reachable: Sequence[str] = (),
    deployed: Sequence[str] = (),
    renewed: Sequence[str] = (),
) -> Verdict:
    """Whether what the unit asks for is in force in its process.

    :param reachable: of the manager's sockets.
    :param renewed: those of them that were made after the process had been started.
    :param deployed: the directives that root knows it was deployed with.
    """
    name = f"sandbox {unit.removesuffix('.service')}"
    asked = {key: properties.get(key, "") for key in ("NoNewPrivileges", "PrivateUsers", *SECCOMP, *MOUNTS)}
    asked = {key: value for key, value in asked.items() if value not in OFF}
    if gone := [key for key in deployed if key in properties and key not in asked]:
        return _taken_off(unit, name, gone)
    if process is None:
        return Verdict(name, SKIP, "not running")
    if process.name.startswith(STARTING):
        return Verdict(name, SKIP, "just being started")
    missing = []
    if "NoNewPrivileges" in asked and not process.no_new_privs:
        missing.append("NoNewPrivileges")
    if process.seccomp != 2:
        missing += [key for key in SECCOMP if key in asked]
    if manager is not None and process.namespaces.get("mnt") == manager.namespaces.get("mnt"):
        missing += [key for key in MOUNTS if key in asked]
    elif any(f"/{name}" in asked.get("InaccessiblePaths", "") for name in reachable):
        missing.append("InaccessiblePaths")
    if "PrivateUsers" in asked and manager is not None:
        missing += ["PrivateUsers"] * (process.namespaces.get("user") == manager.namespaces.get("user"))
    evidence = {
        "asked": sorted(asked),
        "missing": missing,
        "seccomp": process.seccomp,
        "manager_reachable": list(reachable),
    }
    if missing == ["InaccessiblePaths"] and set(reachable) <= set(renewed):
        return _outdated(unit, name, evidence)
    if missing:
        return Verdict(
            name,
            WARN,
            f"not in force: {', '.join(missing)}",
            cause="A user's systemd manager accepts these directives, but the host or kernel does not put "
            "them in force.",
            remedy="Remove them from the unit's directives, or allow unprivileged user namespaces on the "
            "host.",
            kind="sandbox_not_in_force",
            evidence=evidence,
        )
    summary = f"{len(asked)} directives are in force"
    if reachable:
        summary += ", and the user's manager, which can start units without them, is within reach"
    return Verdict(name, summary=summary, evidence=evidence)


def _outdated(unit: str, name: str, evidence: dict[str, Any]) -> Verdict:
    return Verdict(
        name,
        WARN,
        f"{unit} was started before its user's systemd manager, and reaches it",
        cause="The manager was started anew below its running services (daemon-reexec), as an upgrade of "
        "systemd does it: its sockets are new files, which what hid the old ones does not hide. Over them a "
        "service can start programs outside of its sandbox.",
        remedy="mission-control restart",
        kind="sandbox_outdated",
        cure=CONSIDERED,
        evidence=evidence,
    )


def _taken_off(unit: str, name: str, gone: Sequence[str]) -> Verdict:
    return Verdict(
        name,
        FAIL,
        f"deployed with and no longer asked for: {', '.join(gone)}",
        cause="The unit, or a file that changes it, was written anew: whoever works as its user can do that, "
        "an agent too. From its next start on nothing keeps the agents in.",
        remedy=f"See which files make it (systemctl --user -M USER@ show -p FragmentPath,DropInPaths {unit}) "
        "and what they say (cat -v), remove what you did not write, and deploy again (playbooks/deploy.yml). "
        "What you changed belongs into gateway_sandbox and gateway_service_directives.",
        kind="sandbox_taken_off",
        evidence={"missing": list(gone)},
    )


def gateway_sandbox(context: Context) -> list[Verdict]:
    """The gateway's unit, which belongs to somebody else: what root says of it, where root can be asked."""
    found = gateway_process()
    if found is None:
        return []
    name = service_unit("gateway")
    judged = partial(
        judge_sandbox,
        name,
        found.properties,
        found.process,
        found.manager,
        tuple(found.reachable),
        tuple(found.deployed),
        tuple(found.renewed),
    )
    return [context.guard(f"sandbox {name}", judged)]


@dataclass(frozen=True)
class GatewayProcess:
    """What is in force for the gateway's process, and what its unit asks for."""

    properties: Mapping[str, str]
    process: ProcessEvidence
    manager: ProcessEvidence | None
    reachable: Sequence[str]
    # The directives that it was deployed with, by root's record.
    deployed: Sequence[str] = ()
    renewed: Sequence[str] = ()


@answered_by_root
def gateway_process() -> GatewayProcess | None:
    """Of the gateway of this host, as root has written down who runs it; None where there is none.

    It takes nothing from who asks, and tells directives and namespaces only.
    """
    record = read_record()
    if record is None:
        return None
    name = service_unit("gateway")
    try:
        account = find_account(record.user)
        properties = UserManager(account).show([name])[name]
    except HostError:
        return None
    pid = main_pid(properties)
    process = process_evidence(pid) if pid else None
    if process is None or (process.uid, process.unit) != (account.uid, name):
        # Whether it shall run is for others to say; and of processes that are none of its, nothing is told.
        return None
    manager = process_evidence(process.ppid)
    asked = ("NoNewPrivileges", "PrivateUsers", *SECCOMP, *MOUNTS)
    reachable = reachable_buses(process.pid, account)
    return GatewayProcess(
        {key: properties.get(key, "") for key in asked},
        _without_words(process),
        None if manager is None else _without_words(manager),
        reachable,
        record.sandbox,
        renewed_buses(process, account, reachable),
    )


def _without_words(process: ProcessEvidence) -> ProcessEvidence:
    """Nothing of what it was started with: that is its user's business."""
    return replace(process, command=(), cwd=None)


def sandboxes(context: Context, options: Mapping[str, Any]) -> list[Verdict]:
    account = context.host.account
    manager = UserManager(account)
    names = [unit_name(name) for name in options["sandbox_units"]]
    try:
        shown = manager.show(names)
    except HostError:
        # The service check says so.
        return [Verdict("sandbox", SKIP, "the user's systemd manager does not answer")]
    parent = None
    verdicts = []
    for name in names:
        pid = main_pid(shown[name])
        process = process_evidence(pid) if pid else None
        if process is not None and parent is None:
            parent = process_evidence(process.ppid)
        reachable = reachable_buses(process.pid, account) if process else ()
        renewed = renewed_buses(process, account, reachable) if process else ()
        judged = partial(judge_sandbox, name, shown[name], process, parent, reachable, (), renewed)
        verdicts.append(context.guard(f"sandbox {name}", judged))
    return verdicts
