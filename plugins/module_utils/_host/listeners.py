# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who listens where, as /proc says."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from .processes import PROC, _link, _status, all_pids, unit_of_process
from .root_side import answered_by_root

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


_LISTEN = "0A"


def _decode_address(text: str) -> str:
    raw = bytes.fromhex(text)
    # The kernel prints each 32-bit word in the byte order of the machine.
    words = b"".join(struct.pack("=I", word) for word in struct.unpack(f">{len(raw) // 4}I", raw))
    if len(words) == 4:
        return socket.inet_ntop(socket.AF_INET, words)
    address = socket.inet_ntop(socket.AF_INET6, words)
    return address.removeprefix("::ffff:") if address.count(".") == 3 else address


def _listening_sockets(proc: Path) -> Iterator[tuple[str, str, int, int, str]]:
    for protocol in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / protocol).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) < 10 or fields[3] != _LISTEN:
                continue
            address, _colon, port = fields[1].partition(":")
            yield protocol, _decode_address(address), int(port, 16), int(fields[7]), fields[9]


def _socket_owners(inodes: Collection[str], proc: Path) -> dict[str, list[int]]:
    owners: dict[str, list[int]] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for pid in all_pids(proc):
        try:
            descriptors = [entry.name for entry in os.scandir(proc / str(pid) / "fd")]
        except OSError:
            continue
        for descriptor in descriptors:
            inode = wanted.get(_link(proc / str(pid) / "fd" / descriptor) or "")
            if inode is not None and pid not in owners.setdefault(inode, []):
                owners[inode].append(pid)
    return owners


@answered_by_root
def listeners(proc: Path = PROC, ports: Collection[int] | None = None) -> list[Listener]:
    """The listening TCP sockets with their owners (of every user for root, else one's own).

    A socket of a socket unit is held by the manager and by its service: the service is named first.
    """
    sockets = [entry for entry in _listening_sockets(proc) if not ports or entry[2] in ports]
    owners = _socket_owners({entry[4] for entry in sockets}, proc) if sockets else {}
    found = []
    for protocol, address, port, uid, inode in sockets:
        pids = owners.get(inode, [])
        status = {pid: _status(pid, proc) for pid in pids}
        pids = sorted(pids, key=lambda pid: (status[pid].get("Name") == "systemd", pid))
        first = pids[0] if pids else None
        found.append(
            Listener(
                protocol=protocol,
                address=address,
                port=port,
                uid=uid,
                pid=first,
                pids=tuple(pids),
                command=status[first].get("Name", "") if first is not None else "",
                unit=unit_of_process(first, proc) if first is not None else None,
            )
        )
    return sorted(found, key=lambda entry: (entry.port, entry.protocol, entry.address))
