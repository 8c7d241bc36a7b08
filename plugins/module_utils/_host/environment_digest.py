# SPDX-License-Identifier: GPL-3.0-or-later
"""One digest of the environment that a process was started with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

# Set by systemd for each start, so they differ between two starts of the same thing.
VOLATILE_NAMES = frozenset(
    {
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "LISTEN_FDNAMES",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_PIDFDID",
        "MAINPID",
        "MANAGERPID",
        "MANAGERPIDFDID",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
        "NOTIFY_SOCKET",
        "SYSTEMD_EXEC_PID",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
    }
)


def environment_digest(environment: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """One digest of the values; without names, of all but what changes with every start."""
    chosen = set(environment) - VOLATILE_NAMES if names is None else set(names)
    digest = hashlib.sha256()
    for name in sorted(chosen):
        value = environment.get(name)
        item = f"{name}\0" if value is None else f"{name}={value}\0"
        digest.update(item.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
