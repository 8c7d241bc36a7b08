# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is at the other end of a connection to this very host: asked before a secret is sent there.

A port belongs to whoever binds it first, and while a service is down that may be anybody.
"""

from __future__ import annotations

import errno
import os
import pwd
import socket
import struct
from collections.abc import Collection
from pathlib import Path

from .net_sockets import LISTEN, TIME_WAIT, plain, sockets


class StrangerError(ConnectionError):
    """Another user listens there than should, so nothing was sent."""


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _unknown_here(proc: Path) -> int | None:
    """Who has no number in this process's namespace is seen as this one; None where all have one."""
    try:
        whole = (proc / "self/uid_map").read_text().split() == ["0", "0", "4294967295"]
        return None if whole else int((proc / "sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return None


def _bindable(port: int, proc: Path) -> bool:
    """Whether users may listen at a port at all."""
    try:
        return port >= int((proc / "sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return True


def _takes(listening: str, address: str) -> bool:
    """Whether who listens at the one is reached at the other; only zeros are everywhere."""
    return listening == address or not listening.strip("0.:")


def answering(connection: socket.socket, proc: Path = Path("/proc")) -> set[int]:
    """Who has the other end, or may yet accept it; nobody where it is on another host.

    ConnectionResetError where nobody of this host has it any more.
    """
    peer, own = connection.getpeername()[:2], connection.getsockname()[:2]
    there, here = (plain(peer[0]), peer[1]), (plain(own[0]), own[1])
    listening: set[int] = set()
    ends = []
    for entry in sockets(proc):
        if (entry.address, entry.port) == there and (entry.peer, entry.peer_port) == here:
            ends.append(entry)
        elif entry.state == LISTEN and entry.port == there[1] and _takes(entry.address, there[0]):
            listening.add(entry.uid)
    held = {entry.uid for entry in ends if entry.inode != "0" and entry.state != TIME_WAIT}
    if not ends:
        # On another host, or missed: the table is not read in one moment.
        return listening if there[0] == here[0] else set()
    if held and 0 in listening:
        return listening  # Root opened the port for whoever accepts there.
    # What nobody has accepted yet is whoever's who listens: without him it would be gone.
    if not held and not listening:
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    return held or listening


def _there(connection: socket.socket, proc: Path) -> set[int]:
    """Who has the other end; nobody where it is not asked."""
    if connection.family == socket.AF_UNIX:
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return {struct.unpack("3i", told)[1]}
    inet = connection.family in (socket.AF_INET, socket.AF_INET6)
    return answering(connection, proc) if inet and _bindable(connection.getpeername()[1], proc) else set()


def refuse_strangers(connection: socket.socket, users: Collection[str], proc: Path = Path("/proc")) -> None:
    """Go on only where root or one of these users answers. Raises StrangerError.

    Without users, or where this host knows none of them, anybody may: who should be there is not known.
    """
    known = {}
    for name in filter(None, users):
        try:
            known[pwd.getpwnam(name).pw_uid] = name
        except KeyError:
            continue
    if not known:
        return
    strange = _there(connection, proc) - {0, *known}
    # Within a unit's own namespace of users all others look alike.
    strange.discard(-1 if (unknown := _unknown_here(proc)) is None else unknown)
    if strange:
        whose = " and ".join(map(_name, sorted(strange)))
        raise StrangerError(f"{whose} listens there, which is for {' or '.join(known.values())}")
