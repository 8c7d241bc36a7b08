# SPDX-License-Identifier: GPL-3.0-or-later
"""The TCP sockets of this host, as /proc/net has them for everybody to read."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

LISTEN = "0A"
TIME_WAIT = "06"


class Socket(NamedTuple):
    protocol: str
    address: str
    port: int
    peer: str
    peer_port: int
    state: str
    uid: int
    # "0": no process has it, such as a connection that nobody has accepted yet.
    inode: str


def _decode(text: str) -> tuple[str, int]:
    address, _colon, port = text.partition(":")
    raw = bytes.fromhex(address)
    # The kernel prints each 32-bit word in the byte order of the machine.
    words = b"".join(struct.pack("=I", word) for word in struct.unpack(f">{len(raw) // 4}I", raw))
    if len(words) == 4:
        return socket.inet_ntop(socket.AF_INET, words), int(port, 16)
    return plain(socket.inet_ntop(socket.AF_INET6, words)), int(port, 16)


def plain(address: str) -> str:
    """An IPv4 address as such, also where a socket of IPv6 has it."""
    return address.removeprefix("::ffff:") if address.count(".") == 3 else address


def sockets(proc: Path = Path("/proc")) -> Iterator[Socket]:
    """All of them; those that listen come first in each family."""
    for protocol in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / protocol).read_text().split("\n")[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) >= 10:
                yield Socket(
                    protocol, *_decode(fields[1]), *_decode(fields[2]), fields[3], int(fields[7]), fields[9]
                )
