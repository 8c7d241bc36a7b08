# SPDX-License-Identifier: GPL-3.0-or-later
"""The host below the application: clock, disk, memory, listening ports, and sandboxing that is really "
"there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..._cures import DECISION, MAKE_ROOM, start
from ..._host import reachable
from ..._host.accounts import Account, expand_home
from ..._host.errors import HostError
from ..._host.listeners import Listener, listeners
from ..._host.memory import read_memory
from ..._times.amounts import size
from ..asking_root import AskingRoot
from ..certificate_renewal import NAME as RENEWAL
from ..certificate_renewal import judge_renewal
from ..context import Context
from ..firewall import judge_firewall
from ..host_account import judge_ageing, judge_journal
from ..host_ways import ways
from ..sandbox import gateway_sandbox, sandboxes
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
    path: str,
    free: int,
    total: int,
    inodes: tuple[int, int],
    options: Mapping[str, Any],
    *,
    read_only: Path | None = None,
) -> Verdict:
    """Whether one file system takes writes; its free space and inodes, in percent.

    :param read_only: where it is mounted read only, a directory in it.
    """
    if read_only is not None:
        return Verdict(
            f"disk {path}",
            FAIL,
            "the file system is mounted read only",
            cause=f"Nothing can be written to {path}: the kernel does that after an error of the disk, and "
            "/etc/fstab or a mount by hand may say so.",
            remedy=f"See why (dmesg; findmnt -T {shlex.quote(str(read_only))}). After an error of the disk: "
            "back up and check it first. Else make it writable again: mount -o remount,rw "
            f"$(findmnt -n -o TARGET -T {shlex.quote(str(read_only))})",
            kind="disk_read_only",
        )
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
        # What fills that of others' files only they know.
        verdict.cure = DECISION if path == "/tmp" else MAKE_ROOM  # noqa: S108
        verdict.remedy = (
            f"See what fills it (du -xh {path} | sort -h | tail) and remove what no process uses."
            if path == "/tmp"  # noqa: S108
            else "Make room: journalctl --vacuum-size=200M, apt-get clean, old releases (playbook deploy "
            "prunes them), "
            "old backups; or give it more space."
        )
    return verdict


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


def _foreign_port(port: int, unit: str, holder: Listener, evidence: dict[str, Any]) -> Verdict:
    who = holder.command or f"a process of uid {holder.uid}"
    return Verdict(
        f"port {port}",
        FAIL,
        f"port {port} is held by another process: {who}",
        cause=f"{who} (not {unit}) holds the port, so that {unit} cannot.",
        remedy=f"End that process (ss -ltnp 'sport = :{port}'), then: systemctl --user restart {unit}",
        kind="port_foreign",
        evidence=evidence,
    )


def _stranger(port: int, users: Sequence[str], holder: Listener, evidence: dict[str, Any]) -> Verdict:
    who = f"{holder.command or 'a process'} of uid {holder.uid}"
    return Verdict(
        f"port {port}",
        FAIL,
        f"port {port} is held by {who}, not by {' or '.join(users)}",
        cause="Somebody has taken the port while the server was down. Whoever connects to it tells it his "
        "password, and does not notice if it passes everything on to the server.",
        remedy=f"See what it is (ss -ltnp 'sport = :{port}') and end it, start the server again, and "
        "rotate the passwords that it was told (playbooks/rotate.yml).",
        kind="port_stranger",
        evidence=evidence,
    )


def _uids(names: Sequence[str]) -> set[int]:
    """Of the accounts that this host knows."""
    found = set()
    for name in names:
        with contextlib.suppress(KeyError):
            found.add(pwd.getpwnam(name).pw_uid)
    return found


def _shared_port(port: int, mine: Sequence[Listener], evidence: dict[str, Any]) -> Verdict:
    """A server of its own user found one of its addresses taken, and listens on the others."""
    who = " and ".join(f"{item.command or 'a process'} (uid {item.uid}, {item.address})" for item in mine)
    return Verdict(
        f"port {port}",
        FAIL,
        f"port {port} is held by processes of several users: {who}",
        cause="One of them stands where the other should: whoever connects to it tells it his password.",
        remedy=f"See whose it is (ss -ltnp 'sport = :{port}') and end it, start the server again, and "
        "rotate the passwords that it was told (playbooks/rotate.yml).",
        kind="port_shared",
        evidence=evidence,
    )


def _closed_port(port: int, unit: str, evidence: dict[str, Any]) -> Verdict:
    return Verdict(
        f"port {port}",
        FAIL,
        f"nothing listens on port {port}",
        cause=f"{unit or 'The service'} is down, or uses another port.",
        remedy=f"Start it: systemctl --user start {unit}" if unit else "Start the service.",
        kind="port_closed",
        cure=start(unit) if unit else DECISION,
        evidence=evidence,
    )


def _held_by_others(
    wanted: Mapping[str, Any], unit: str, mine: Sequence[Listener], uid: int | None, evidence: dict[str, Any]
) -> Verdict | None:
    """A port of a unit is its user's, another one that of the users who may hold it, or else of one user."""
    port = wanted["port"]
    if unit:
        foreign = [item for item in mine if uid is not None and item.uid != uid]
        return _foreign_port(port, unit, foreign[0], evidence) if foreign else None
    expected = _uids(wanted.get("users") or ())
    strangers = [item for item in mine if item.uid not in {0, *expected}] if expected else []
    if strangers:
        return _stranger(port, wanted["users"], strangers[0], evidence)
    return _shared_port(port, mine, evidence) if len({item.uid for item in mine}) > 1 else None


def judge_port(wanted: Mapping[str, Any], found: Sequence[Listener], uid: int | None) -> Verdict:
    """One port: listening, where it should, by whom it should."""
    port, bind, unit = wanted["port"], wanted["bind"], str(wanted["unit"]).removesuffix(".service")
    bind = bind if bind in ("", reachable.ANY, reachable.LOOPBACK) else reachable.reach(bind)
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
        return _closed_port(port, unit, evidence)
    if held := _held_by_others(wanted, unit, mine, uid, evidence):
        return held
    reaches = {reachable.reach(item.address) for item in mine}
    if bind == "loopback" and reaches != {"loopback"}:
        return Verdict(
            name,
            FAIL,
            f"port {port} is open to others ({', '.join(sorted(reaches))}), expected was loopback only",
            cause="The service is bound to more addresses than it should be.",
            remedy="Bind it to 127.0.0.1 (mission_control_backend_bind, mission_control_frontend_bind; "
            "listen_addresses of "
            "PostgreSQL; bind of Redis), and deploy again.",
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
            if item.uid == uid and item.port not in allowed and not reachable.is_loopback(item.address)
        }
    )
    if strange:
        text = ", ".join(f"{port} ({command or 'process unknown'})" for port, command in strange[:5])
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


def _file_systems(options: Mapping[str, Any], account: Account | None) -> list[tuple[str, Any]]:
    """A part for each, whichever of its paths is named."""
    found: list[tuple[str, Any]] = []
    seen: set[tuple[int, int]] = set()
    for given in options["paths"]:
        path = Path(expand_home(given, account))
        # Not Path.exists, which raises for a directory that the user may not enter.
        while not os.path.exists(path) and path != path.parent:  # noqa: PTH110
            path = path.parent
        space = os.statvfs(path)
        read_only = space.f_flag & os.ST_RDONLY
        device = (path.stat().st_dev, read_only)
        if device in seen:
            continue
        seen.add(device)
        found.append(
            (
                f"disk {given}",
                partial(
                    judge_disk,
                    given,
                    space.f_bavail * space.f_frsize,
                    space.f_blocks * space.f_frsize,
                    (space.f_favail, space.f_files),
                    options,
                    read_only=path if read_only else None,
                ),
            )
        )
    return found


@AskingRoot
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
            lambda: judge_memory(read_memory(), options),
        ),
    ]
    if account is not None:
        works.append(("account", partial(judge_ageing, account.name)))
        works += ways(context.host.files, context.host.root, account, options["ports"])
    works.append(("journal", judge_journal))
    if options["certificate_renewal"]:
        works.append((RENEWAL, partial(judge_renewal, context.redactor)))
    works += _file_systems(options, account)
    if options["ports"] or options["strangers"]:
        found = listeners()
        uid = account.uid if account else None
        for wanted in options["ports"]:
            works.append((f"port {wanted['port']}", partial(judge_port, wanted, found, uid)))
        if options["strangers"] and uid:
            allowed = [int(wanted["port"]) for wanted in options["ports"]] + list(options["allowed_ports"])
            works.append(("other ports", lambda: judge_strangers(found, uid, allowed)))
    if options["guarded"]:
        works.append(("firewall", partial(judge_firewall, options["guarded"])))
    verdicts = context.parts(works)
    if options["sandbox_units"] and account is not None:
        verdicts += sandboxes(context, options)
    if options["gateway_sandbox"]:
        verdicts += gateway_sandbox(context)
    return combine("host", verdicts, "; ".join(verdict.summary for verdict in verdicts[:3]))
