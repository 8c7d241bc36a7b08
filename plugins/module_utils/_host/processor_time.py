# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the processors processes use."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .proc_files import PROC, TICKS, stat_fields


def cpu_seconds(pid: int, proc: Path = PROC) -> float | None:
    fields = stat_fields(pid, proc)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / TICKS


def cpu_shares(
    pids: Sequence[int],
    interval: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    proc: Path = PROC,
) -> dict[int, float]:
    """How much of one core each process used over the interval; those that ended are left out."""
    before = {pid: cpu_seconds(pid, proc) for pid in pids}
    start = clock()
    sleep(interval)
    elapsed = max(clock() - start, 1e-9)
    shares = {}
    for pid, first in before.items():
        last = cpu_seconds(pid, proc)
        if first is not None and last is not None:
            shares[pid] = max(last - first, 0.0) / elapsed
    return shares
