# SPDX-License-Identifier: GPL-3.0-or-later
"""What it explains that nothing is deployed."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import API, kinds

ROW = Row(
    name="not deployed",
    causes=(kinds("not_deployed"),),
    effects=(
        kinds("not_deployed", "unit_missing", "no_worker"),
        Match(
            at=(
                *API,
                "frontend",
                "configuration",
                "queue",
                "database",
                "service",
                "log",
                "host.port",
                "backup",
            ),
            but=frozenset({"maintenance"}),
        ),
    ),
    reason="Where nothing is deployed yet, nothing answers, runs or is set.",
)
