# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether there is room for what comes back, asked before anything is changed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._host import privileges
from .._host.deployment_errors import DeploymentError
from .._times.amounts import size
from . import server


def room_for_database(part: Mapping[str, Any]) -> int:
    """What a server needs of its disk for it: tables, their indexes, the log of writing them."""
    return int(part["bytes"] * 2.5) + (64 << 20)


def need_room(place: Path, needed: int, what: str) -> None:
    """Refuse what the disk does not hold. Called by whoever may look there."""
    there = place
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free < needed:
        raise DeploymentError(
            f"{what} needs {size(needed)} in {place}, and there are {size(free)}.",
            kind="no_room",
            remedy="Nothing was changed. Make room there.",
        )


def need_room_of_server(part: Mapping[str, Any], what: str) -> None:
    """Refuse a database that the disk of this host's own server does not hold beside what is there."""
    needed = room_for_database(part)
    privileges.as_user(server.ADMINISTRATOR, lambda account: need_room(Path(account.home), needed, what))
