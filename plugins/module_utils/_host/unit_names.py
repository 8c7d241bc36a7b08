# SPDX-License-Identifier: GPL-3.0-or-later
"""The full names of systemd's units."""

from __future__ import annotations

_SUFFIXES = (
    ".service",
    ".socket",
    ".target",
    ".timer",
    ".path",
    ".mount",
    ".automount",
    ".slice",
    ".scope",
    ".swap",
    ".device",
)


def unit_name(name: str) -> str:
    """A unit's full name: .service unless it names another type."""
    return name if name.endswith(_SUFFIXES) else f"{name}.service"
