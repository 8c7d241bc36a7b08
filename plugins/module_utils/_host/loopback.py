# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has for connections of a host to itself: the interface lo, its address, and ports."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from pathlib import Path

_SIOCGIFFLAGS, _IFF_UP = 0x8913, 0x1
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


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


def read_local_ports(path: Path = _RANGE) -> str:
    """What the kernel says of them; empty where it says nothing."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
