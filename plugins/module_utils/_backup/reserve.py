# SPDX-License-Identifier: GPL-3.0-or-later
"""What root leaves free of a disk while he writes a user's data there.

How much they are the user decides: a dump comes from a server that he names, by a program that he may stop
and speak for.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from .._host.deployment_errors import DeploymentError
from .._times.amounts import size

# Bytes of a disk that are left to others at most; of a smaller one a twentieth.
_RESERVE = 5 << 30
_SHARE = 20
# So much is taken of a disk, too, that has come to its reserve before; but no more than half of what it has.
_LITTLE = 256 << 20


def keeping_reserve(place: Path) -> Callable[[], None]:
    """Fails, when it is called, once the disk of a place has come to its reserve."""
    there = place
    while not there.exists():
        there = there.parent
    found = shutil.disk_usage(there)
    least = min(_RESERVE, found.total // _SHARE, max(found.free - _LITTLE, found.free // 2))

    def watch() -> None:
        free = shutil.disk_usage(there).free
        if free < least:
            raise DeploymentError(
                f"The disk of {place} has {size(free)} left, of {size(found.free)} before: no more is written"
                " there.",
                kind="no_room",
                remedy="Nothing was kept of it. See what has become so large (the database, or what lies in "
                "the users' directories), and whether a user's program makes it so; else make room there.",
            )

    return watch
