# SPDX-License-Identifier: GPL-3.0-or-later
"""What maintenance explains, of the findings of any check."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import API, LOGS, NO_WORK_DONE, kinds

ROW = Row(
    name="maintenance",
    causes=(kinds("maintenance"),),
    effects=(
        Match(at=(*API, "frontend", "service")),
        kinds("maintenance", "stale_environment", "no_worker", *NO_WORK_DONE),
        LOGS,
    ),
    reason="During maintenance users see its page, the worker stands still and units are restarted.",
)
