# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The host below the application: clock, disk, memory, listening ports, and sandboxing that is really "
"there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..._durations import size
from ..._host import addresses
from ..._host.accounts import Account, acting_as, expand_home
from ..._host.errors import HostError
from ..._host.listeners import Listener, listeners
from ..._host.processes import PROC, ProcessEvidence, process_evidence
from ..._host.systemd import UserManager, unit_name, unit_status
from ..context import Context
from ..thresholds import judge
from ..verdict import FAIL, PASS, SKIP, WARN, Measure, Verdict, combine

UNSYNCHRONIZED = 0x0040


class _Timex(ctypes.Structure):
    """The beginning of the kernel's struct timex; what follows only has to have room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def clock_status() -> int | None:
    """The kernel's clock flags; None where it does not tell."""
    timex = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else int(timex.status)


def judge_clock(status: int | None, container: bool) -> Verdict:
    """Whether something keeps the clock right."""
    if container or status is None:
        return Verdict("clock", SKIP, "a container cannot know: its clock is that of the machine around it")
    if status & UNSYNCHRONIZED:
        return Verdict(
            "clock",
            WARN,
            "the clock is not synchronized",
            cause="No time service keeps this host's clock right; tokens, certificates and log times "
            "depend on it.",
            remedy="Install and start one: apt-get install systemd-timesyncd; timedatectl set-ntp true.",
            kind="clock",
        )
    return Verdict("clock", summary="the clock is synchronized")


def judge_disk(
    path: str, free: int, total: int, inodes: tuple[int, int], options: Mapping[str, Any]
) -> Verdict:
    """Free space and inodes of one file system, in percent."""
    share = free / total * 100 if total else 0.0
    nodes = inodes[0] / inodes[1] * 100 if inodes[1] else 100.0
    least = min(share, nodes)
    warn, crit = options["disk_warning"], options["disk_critical"]
    verdict = Verdict(f"disk {path}", judge(least, warn, crit), f"{size(free)} free ({share:.0f} %)")
    verdict.measures = [
        Measure(f"free {path}", round(share, 1), "%", warn, crit),
        Measure(f"free inodes {path}", round(nodes, 1), "%", warn, crit),
    ]
    if verdict.state != PASS:
        what = "space" if share <= nodes else "inodes"
        verdict.kind = "disk_full"
        verdict.summary = f"only {least:.1f} % {what} left ({size(free)})"
        verdict.cause = f"The file system of {path} is nearly full."
        verdict.remedy = (
            "Make room: journalctl --vacuum-size=200M, apt-get clean, old releases (playbook deploy "
            "prunes them), "
            "old backups; or give it more space."
        )
    return verdict


def read_memory(text: str) -> dict[str, int]:
    """/proc/meminfo in bytes."""
    found = {}
    for line in text.splitlines():
        name, _separator, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            found[name] = int(words[0]) * (1024 if len(words) > 1 else 1)
    return found


def judge_memory(memory: Mapping[str, int], options: Mapping[str, Any]) -> Verdict:
    """Memory that is left, in percent."""
    total, left = memory.get("MemTotal", 0), memory.get("MemAvailable", 0)
    share = left / total * 100 if total else 0.0
    warn, crit = options["memory_warning"], options["memory_critical"]
    verdict = Verdict("memory", judge(share, warn, crit), f"{size(left)} of {size(total)} available")
    verdict.measures = [Measure("memory available", round(share, 1), "%", warn, crit)]
    if verdict.state != PASS:
        verdict.kind = "memory"
        verdict.cause = (
            "The host is short of memory: processes will be killed, or swap makes everything slow."
        )
        verdict.remedy = "See what uses it (ps --sort=-rss), set limits of the units, or give the host more."
    return verdict


def judge_port(wanted: Mapping[str, Any], found: Sequence[Listener], uid: int | None) -> Verdict:
    """One port: listening, where it should, by whom it should."""
    port, bind, unit = wanted["port"], wanted["bind"], str(wanted["unit"]).removesuffix(".service")
    bind = bind if bind in ("", addresses.ANY, addresses.LOOPBACK) else addresses.reach(bind)
    name = f"port {port}"
    mine = [listener for listener in found if listener.port == port]
    evidence: dict[str, Any] = {
        "listeners": [
            {"address": item.address, "command": item.command, "unit": item.unit, "uid": item.uid}
            for item in mine
        ],
        "unit": unit,
        "port": port,
    }
    if not mine:
        return Verdict(
            name,
            FAIL,
            f"nothing listens on port {port}",
            cause=f"{unit or 'The service'} is down, or uses another port.",
            remedy=f"Start it: systemctl --user start {unit}" if unit else "Start the service.",
            kind="port_closed",
            evidence=evidence,
        )
    if unit and uid is not None:
        foreign = [item for item in mine if item.uid != uid]
        if foreign:
            who = foreign[0].command or f"a process of uid {foreign[0].uid}"
            return Verdict(
                name,
                FAIL,
                f"port {port} is held by another process: {who}",
                cause=f"{who} (not {unit}) holds the port, so that {unit} cannot.",
                remedy=f"End that process (ss -ltnp 'sport = :{port}'), then: systemctl --user restart "
                f"{unit}",
                kind="port_foreign",
                evidence=evidence,
            )
    reaches = {addresses.reach(item.address) for item in mine}
    if bind == "loopback" and reaches != {"loopback"}:
        return Verdict(
            name,
            FAIL,
            f"port {port} is open to others ({', '.join(sorted(reaches))}), expected was loopback only",
            cause="The service is bound to more addresses than it should be.",
            remedy="Bind it to 127.0.0.1 (mission_control_backend_bind, mission_control_frontend_bind; "
            "listen_addresses of "
            "PostgreSQL; bind of Redis).",
            kind="port_exposed",
            evidence=evidence,
        )
    if bind == "any" and "any" not in reaches:
        return Verdict(
            name,
            FAIL,
            f"port {port} is bound to {', '.join(sorted(reaches))} only",
            cause="Others than this host cannot reach the service.",
            remedy="Set mission_control_backend_bind or mission_control_frontend_bind to 0.0.0.0 or ::, or "
            "put a proxy before it.",
            kind="port_hidden",
            evidence=evidence,
        )
    if bind not in ("any", "loopback", "") and bind not in reaches and "any" not in reaches:
        return Verdict(
            name,
            FAIL,
            f"port {port} is bound to {', '.join(sorted(reaches))}, expected was {bind}",
            cause="The service is bound to another address than it should be.",
            remedy="Correct mission_control_backend_bind or mission_control_frontend_bind and deploy again.",
            kind="port_hidden",
            evidence=evidence,
        )
    return Verdict(name, summary=f"listens on {', '.join(sorted(reaches))}", evidence=evidence)


def judge_strangers(found: Sequence[Listener], uid: int, allowed: Sequence[int]) -> Verdict:
    """Ports of the application's user that nobody expects to be open."""
    strange = sorted(
        {
            (item.port, item.command)
            for item in found
            if item.uid == uid and item.port not in allowed and not addresses.is_loopback(item.address)
        }
    )
    if strange:
        text = ", ".join(f"{port} ({command})" for port, command in strange[:5])
        return Verdict(
            "other ports",
            WARN,
            f"the application's user listens on more ports: {text}",
            cause="A process of that user is reachable from other hosts without being part of the "
            "deployment.",
            remedy="End it, or name its port in verify_host: {allowed_ports: [...]}.",
            kind="port_unexpected",
            evidence={"listeners": [{"port": port, "command": command} for port, command in strange]},
        )
    return Verdict("other ports", summary="no other port is open to others")


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


def judge_sandbox(
    unit: str,
    properties: Mapping[str, str],
    process: ProcessEvidence | None,
    manager: ProcessEvidence | None,
    reachable: Sequence[str] = (),
) -> Verdict:
    """Whether what the unit asks for is in force in its process; `reachable` of the manager's sockets."""
    name = f"sandbox {unit.removesuffix('.service')}"
    asked = {key: properties.get(key, "") for key in ("NoNewPrivileges", "PrivateUsers", *SECCOMP, *MOUNTS)}
    asked = {key: value for key, value in asked.items() if value not in OFF}
    if process is None:
        return Verdict(name, SKIP, "not running")
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


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """Each subject is a part."""
    try:
        account = context.host.account
    except HostError:
        account = None
    works: list[tuple[str, Any]] = [
        (
            "clock",
            lambda: judge_clock(clock_status(), Path("/run/systemd/container").exists()),
        ),
        (
            "memory",
            lambda: judge_memory(read_memory(Path("/proc/meminfo").read_text(encoding="ascii")), options),
        ),
    ]
    seen: set[int] = set()
    for given in options["paths"]:
        path = Path(expand_home(given, account))
        # Not Path.exists, which raises for a directory that the user may not enter.
        while not os.path.exists(path) and path != path.parent:  # noqa: PTH110
            path = path.parent
        device = path.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        space = os.statvfs(path)
        works.append(
            (
                f"disk {given}",
                partial(
                    judge_disk,
                    given,
                    space.f_bavail * space.f_frsize,
                    space.f_blocks * space.f_frsize,
                    (space.f_favail, space.f_files),
                    options,
                ),
            )
        )
    if options["ports"] or options["strangers"]:
        found = listeners()
        uid = account.uid if account else None
        for wanted in options["ports"]:
            works.append((f"port {wanted['port']}", partial(judge_port, wanted, found, uid)))
        if options["strangers"] and uid:
            allowed = [int(wanted["port"]) for wanted in options["ports"]] + list(options["allowed_ports"])
            works.append(("other ports", lambda: judge_strangers(found, uid, allowed)))
    verdicts = context.parts(works)
    if options["sandbox_units"] and account is not None:
        verdicts += _sandboxes(context, options)
    return combine("host", verdicts, "; ".join(verdict.summary for verdict in verdicts[:3]))


def _sandboxes(context: Context, options: Mapping[str, Any]) -> list[Verdict]:
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
        status = unit_status(name, shown[name])
        process = process_evidence(status.main_pid) if status.main_pid else None
        if process is not None and parent is None:
            parent = process_evidence(process.ppid)
        verdicts.append(
            context.guard(
                f"sandbox {name}",
                partial(
                    judge_sandbox,
                    name,
                    shown[name],
                    process,
                    parent,
                    reachable_buses(process.pid, account) if process and account else (),
                ),
            )
        )
    return verdicts
