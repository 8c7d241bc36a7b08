# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release is made of: its parts, and which components run from them."""

from __future__ import annotations

from collections.abc import Iterable

# Guide and habit expect the parts of the application at these places.
LINKS = ("backend", "frontend", "scripts")
COMPONENTS = ("backend", "worker", "frontend")


def parts_of(components: Iterable[str]) -> tuple[str, ...]:
    """The parts of a release that the components run from: the worker runs the backend's code."""
    wanted = set(components)
    return tuple(
        part
        for part, users in (("backend", {"backend", "worker"}), ("frontend", {"frontend"}))
        if wanted & users
    )
