# SPDX-License-Identifier: GPL-3.0-or-later
"""Unix sockets that are listened on, as the kernel lists them: also those whose file somebody has removed."""

from __future__ import annotations

import re
from pathlib import Path

# The kernel's flag of a socket that takes connections (__SO_ACCEPTCON).
_ACCEPTING = 0x10000
# Num: RefCount Protocol Flags Type St Inode Path, of which an unbound socket has none.
_ROW = re.compile(r"[0-9a-f]+: (?:[0-9A-F]{8} ){2}([0-9A-F]{8}) [0-9A-F]{4} [0-9A-F]{2} +[0-9]+ (.+)")


def listening_paths(table: Path = Path("/proc/net/unix")) -> set[str]:
    """The files of the Unix sockets that are listened on, of this network namespace."""
    try:
        lines = table.read_bytes().decode("utf-8", "replace").split("\n")[1:]
    except OSError:
        return set()
    # The kernel does not escape names, so that anybody can put in lines of his own: what one says is no
    # proof, and one that is none is left out.
    rows = (_ROW.fullmatch(line) for line in lines)
    return {row[2] for row in rows if row and int(row[1], 16) & _ACCEPTING}
