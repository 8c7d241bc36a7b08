# SPDX-License-Identifier: GPL-3.0-or-later
"""What a disk explains that takes no more."""

from __future__ import annotations

from ..explanation import Match, Row
from .units import BROKEN_START
from .words import NOT_REACHED, kinds

ROW = Row(
    name="disk full",
    causes=(kinds("disk_full", "disk_read_only"),),
    effects=(
        kinds(
            *NOT_REACHED,
            *BROKEN_START,
            "server_error",
            "disk_full",
            "disk_read_only",
            "queue_old",
            "no_worker",
        ),
        kinds("backup_old"),
        Match(family="database_"),
        Match(family="redis_"),
        Match(family="log_"),
        Match(at=("gateway", "sessions", "session"), family="gateway_"),
    ),
    reason="What cannot write stops: PostgreSQL, Redis, the units, backups.",
)
