# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the kernel takes rules of nftables from this process, asked without changing anything."""

from __future__ import annotations

import errno
import os
import socket
import struct

# linux/netlink.h, linux/netfilter/nfnetlink.h and nf_tables.h; what Python's socket has no names for.
_NETFILTER = 12
_REQUEST = 1
_ERROR = 2
_GET_GENERATION = 10 << 8 | 16
_HEAD = struct.Struct("=IHHII")
_GENERAL = struct.Struct("=BBH")
_CODE = struct.Struct("=i")
_SECONDS = 5.0


def question() -> bytes:
    """Asks of which generation the rules are, which every kernel with nftables tells root."""
    return _HEAD.pack(_HEAD.size + _GENERAL.size, _GET_GENERATION, _REQUEST, 1, 0) + _GENERAL.pack(0, 0, 0)


def refusal(answer: bytes) -> str:
    """Why the kernel says no; empty where it answers what it was asked."""
    if len(answer) < _HEAD.size + _CODE.size or _HEAD.unpack_from(answer)[1] != _ERROR:
        return ""
    code = -_CODE.unpack_from(answer, _HEAD.size)[0]
    if code == errno.EINVAL:
        return "this kernel has no nftables (module nf_tables)"
    return os.strerror(code) if code else ""


def ask() -> str:
    """Why nobody here may set rules of nftables; empty where root may."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as connection:
            connection.settimeout(_SECONDS)
            connection.send(question())
            return refusal(connection.recv(1 << 16))
    except OSError as error:
        return error.strerror or str(error)
