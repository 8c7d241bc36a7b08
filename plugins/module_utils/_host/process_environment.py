# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that a process was started with: compared, and never shown, for it holds secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .proc_files import MOST_ENVIRONMENT, PROC, beginning_of


def read_environment(pid: int, proc: Path = PROC) -> dict[str, str] | None:
    """A process's environment. It holds secrets: compare it, never return it.

    None where it cannot be read, or is longer than any that a program is started with.
    """
    raw = beginning_of(pid, "environ", MOST_ENVIRONMENT + 1, proc)
    if raw is None or len(raw) > MOST_ENVIRONMENT:
        return None
    environment = {}
    for part in raw.split(b"\0"):
        name, separator, value = part.decode("utf-8", "surrogateescape").partition("=")
        if separator:
            environment[name] = value
    return environment


def environment_differences(pid: int, expected: Mapping[str, str], proc: Path = PROC) -> list[str] | None:
    """The names whose value in the process is not the expected one; None when it cannot be read."""
    actual = read_environment(pid, proc)
    if actual is None:
        return None
    return sorted(name for name, value in expected.items() if actual.get(name) != value)
