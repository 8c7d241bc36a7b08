# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a host, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path

from . import reading


def read_memory(root: Path = Path("/")) -> dict[str, int]:
    """What /proc/meminfo says, in bytes; what is a number of pages stays one."""
    found = {}
    for line in reading.read_regular(root / "proc/meminfo").split("\n"):
        name, _separator, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            found[name] = int(words[0]) * (1024 if len(words) > 1 else 1)
    return found


def memory_facts(root: Path = Path("/")) -> dict[str, int]:
    """How much there is, how much of it is left, and swap."""
    found = read_memory(root)
    return {
        "total_bytes": found.get("MemTotal", 0),
        "available_bytes": found.get("MemAvailable", 0),
        "swap_bytes": found.get("SwapTotal", 0),
    }
