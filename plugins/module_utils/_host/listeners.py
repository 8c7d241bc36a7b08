# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens where, as /proc says."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from .net_sockets import LISTEN, sockets
from .proc_files import PROC, all_pids, link_of, started, stat_fields, status_of, unit_of_process
from .root_questions import answered_by_root

# --- listening sockets ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Listener:
    protocol: str
    address: str
    port: int
    uid: int
    pid: int | None
    pids: tuple[int, ...]
    command: str
    unit: str | None
    # Of the process that is named first: its state, and when it began; empty where none can be seen.
    state: str = ""
    started: float = 0.0


def _socket_owners(inodes: Collection[str], proc: Path) -> dict[str, list[int]]:
    owners: dict[str, list[int]] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for pid in all_pids(proc):
        try:
            descriptors = [entry.name for entry in os.scandir(proc / str(pid) / "fd")]
        except OSError:
            continue
        for descriptor in descriptors:
            inode = wanted.get(link_of(proc / str(pid) / "fd" / descriptor) or "")
            if inode is not None and pid not in owners.setdefault(inode, []):
                owners[inode].append(pid)
    return owners


@answered_by_root
def listeners(proc: Path = PROC, ports: Collection[int] | None = None) -> list[Listener]:
    """The listening TCP sockets with their owners (of every user for root, else one's own).

    A socket of a socket unit is held by the manager and by its service: the service is named first.
    """
    listening = [
        entry for entry in sockets(proc) if entry.state == LISTEN and (not ports or entry.port in ports)
    ]
    owners = _socket_owners({entry.inode for entry in listening}, proc) if listening else {}
    found = []
    for entry in listening:
        pids = owners.get(entry.inode, [])
        status = {pid: status_of(pid, proc) for pid in pids}
        pids = sorted(pids, key=lambda pid: (status[pid].get("Name") == "systemd", pid))
        first = pids[0] if pids else None
        fields = stat_fields(first, proc) if first is not None else None
        found.append(
            Listener(
                protocol=entry.protocol,
                address=entry.address,
                port=entry.port,
                uid=entry.uid,
                pid=first,
                pids=tuple(pids),
                command=status[first].get("Name", "") if first is not None else "",
                unit=unit_of_process(first, proc) if first is not None else None,
                state=fields[0] if fields else "",
                started=started(fields, proc) if fields else 0.0,
            )
        )
    return sorted(found, key=lambda entry: (entry.port, entry.protocol, entry.address))
