# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways on a host: to its own addresses, to its own directories, and up again after a boot."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._cures import TYPED
from .._host.accounts import Account
from .._host.errors import HostError
from .._host.loopback import address_is_there, interface_is_up, read_local_ports
from .._host.system_manager import SystemManager
from .._host.user_file_status import closed_directory
from .._host.user_files import UserFiles
from .verdict import FAIL, SKIP, Verdict

# A host of this application has some dozens of connections at once, and each that ended keeps its port for a
# minute. The kernel's default are 28232.
FEWEST_PORTS = 1024
# Whose server which unit of the distribution starts.
SERVER_UNITS = {"postgres": "postgresql", "redis": "redis-server", "valkey": "valkey-server"}


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
    return judge_directories(closed_directory(files, root), account)


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
    if units and Path("/run/systemd/system").is_dir():
        found.append(("boot", lambda: look_at_boot(units)))
    return found
