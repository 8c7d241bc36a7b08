# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways on a host: to its own addresses, to its own directories, and up again after a boot."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shlex
import socket
import stat
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._cures import TYPED
from .._host.accounts import Account
from .._host.errors import HostError
from .._host.reading import read_regular
from .._host.system_manager import SystemManager
from .._host.user_files import UserFiles
from .verdict import FAIL, SKIP, Verdict

_SIOCGIFFLAGS, _IFF_UP = 0x8913, 0x1
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# A host of this application has some dozens of connections at once, and each that ended keeps its port for a
# minute. The kernel's default are 28232.
FEWEST_PORTS = 1024
# Whose server which unit of the distribution starts.
SERVER_UNITS = {"postgres": "postgresql", "redis": "redis-server", "valkey": "valkey-server"}


def interface_is_up(name: str = "lo") -> bool | None:
    """Whether a network interface is up; None where the kernel does not tell."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            asked = struct.pack("16sH14s", name.encode(), 0, b"")
            flags = struct.unpack("16sH14s", fcntl.ioctl(probe.fileno(), _SIOCGIFFLAGS, asked))[1]
        except OSError:
            return None
    return bool(flags & _IFF_UP)


def address_is_there(address: str = "127.0.0.1") -> bool:
    """Whether this host has an address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def judge_loopback(up: bool | None, there: bool) -> Verdict:
    """Whether programs of this host reach each other at 127.0.0.1."""
    if up is not False and there:
        return Verdict("loopback", summary="127.0.0.1 can be reached")
    missing = up is not False
    return Verdict(
        "loopback",
        FAIL,
        "the interface lo has no address 127.0.0.1" if missing else "the interface lo is down",
        cause="Nothing on this host reaches what listens at 127.0.0.1: neither the backend its database nor "
        "this check the backend. Somebody, or a script for the network, took it down.",
        remedy="ip address add 127.0.0.1/8 dev lo" if missing else "ip link set lo up",
        kind="loopback_down",
        cure=TYPED,
    )


def judge_local_ports(text: str) -> Verdict:
    """Whether there are ports for the near end of connections.

    :param text: of net.ipv4.ip_local_port_range.
    """
    numbers = [int(word) for word in text.split() if word.isdigit()]
    if len(numbers) != 2:
        return Verdict("local ports", SKIP, "the kernel does not tell")
    count = numbers[1] - numbers[0] + 1
    if count >= FEWEST_PORTS:
        return Verdict("local ports", summary=f"{count} ports for connections")
    return Verdict(
        "local ports",
        FAIL,
        f"this host has {count} port{'' if count == 1 else 's'} for connections to others and to itself",
        cause=f"net.ipv4.ip_local_port_range is {numbers[0]} {numbers[1]}: each connection takes one of "
        'them, and further ones fail ("Cannot assign requested address").',
        remedy="sysctl -w net.ipv4.ip_local_port_range='32768 60999'; for good, remove the line that says "
        "otherwise: grep -rs ip_local_port_range /etc/sysctl.conf /etc/sysctl.d",
        kind="local_ports",
        cure=TYPED,
    )


def read_local_ports(path: Path = _RANGE) -> str:
    """What the kernel says of them; empty where it says nothing."""
    try:
        return read_regular(path)
    except OSError:
        return ""


def closed_directory(path: Path) -> dict[str, Any] | None:
    """The first directory on the way to a path that may not be entered, as plain data."""
    for parent, child in zip(
        list(reversed(path.parents)), [*list(reversed(path.parents))[1:], path], strict=True
    ):
        try:
            child.lstat()
        except PermissionError:
            found = parent.stat()
            return {"path": str(parent), "owner": found.st_uid, "mode": stat.S_IMODE(found.st_mode)}
        except OSError:
            return None
    return None


def judge_directories(found: Mapping[str, Any] | None, account: Account) -> Verdict:
    """Whether the application's user gets to its own directory."""
    if found is None:
        return Verdict("directories", summary=f"{account.name} gets to its directories")
    path, name = str(found["path"]), shlex.quote(str(found["path"]))
    own = Path(path) == Path(account.home) or Path(account.home) in Path(path).parents
    if own and found["owner"] != account.uid:
        remedy = f"chown {account.name}: {name}"
    else:
        remedy = f"chmod {'u+rwx' if found['owner'] == account.uid else 'o+x'} {name}"
    return Verdict(
        "directories",
        FAIL,
        f"{account.name} may not enter {path} (mode {found['mode']:04o}, owner {found['owner']})",
        cause=f"Somebody closed {path}, on the way to the application: {account.name} gets neither to its "
        "settings nor to its programs, nor its systemd manager to the units. What runs goes on until it "
        "needs a file; nothing starts.",
        remedy=remedy,
        kind="directory_closed",
        cure=TYPED,
        evidence=dict(found),
    )


def look_at_way(files: UserFiles, root: Path, account: Account) -> Verdict:
    """The way from / to the application's root, as its user goes it."""
    return judge_directories(files.look(lambda: closed_directory(root)), account)


def server_units(ports: Sequence[Mapping[str, Any]]) -> list[str]:
    """The units of the servers that this host is expected to run, by those who may hold their ports."""
    users = [str(user) for wanted in ports if not wanted["unit"] for user in wanted.get("users") or ()]
    return [SERVER_UNITS[user] for user in dict.fromkeys(users) if user in SERVER_UNITS]


def judge_boot(shown: Mapping[str, Mapping[str, str]]) -> Verdict:
    """Whether the servers that run are there again after a boot."""
    wrong = {
        name: shown[name].get("UnitFileState", "")
        for name in shown
        if shown[name].get("ActiveState") == "active"
        and shown[name].get("UnitFileState") in ("disabled", "masked", "masked-runtime")
    }
    if not wrong:
        return Verdict("boot", summary="servers start at the boot")
    names = " ".join(wrong)
    unmask = "" if "disabled" in wrong.values() else f"systemctl unmask {names}; "
    return Verdict(
        "boot",
        FAIL,
        ", ".join(f"{name} is {state}" for name, state in wrong.items()),
        cause="It runs, and is not started when the host is booted the next time: the application would be "
        "without it.",
        remedy=f"{unmask}systemctl enable {names}",
        kind="server_disabled",
        cure=TYPED,
        evidence={"units": wrong},
    )


def look_at_boot(units: Sequence[str]) -> Verdict:
    """What the host's systemd says of them."""
    with contextlib.suppress(HostError, OSError):
        return judge_boot(SystemManager().show(units, ["Id", "ActiveState", "UnitFileState"]))
    return Verdict("boot", SKIP, "the host's systemd does not answer")


def ways(
    files: UserFiles, root: Path, account: Account, ports: Sequence[Mapping[str, Any]]
) -> list[tuple[str, Any]]:
    """The parts of the check of the host."""
    found: list[tuple[str, Any]] = [
        ("loopback", lambda: judge_loopback(interface_is_up(), address_is_there())),
        ("local ports", lambda: judge_local_ports(read_local_ports())),
        ("directories", lambda: look_at_way(files, root, account)),
    ]
    units = server_units(ports)
    if units and os.path.isdir("/run/systemd/system"):  # noqa: PTH112
        found.append(("boot", lambda: look_at_boot(units)))
    return found
