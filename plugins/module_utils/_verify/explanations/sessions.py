# SPDX-License-Identifier: GPL-3.0-or-later
"""What lost sessions explain."""

from __future__ import annotations

from ..explanation import Match, Row

ROWS: tuple[Row, ...] = (
    Row(
        name="sessions",
        causes=(Match(at=("sessions",)),),
        effects=(Match(at=("sessions", "session"), family="session"),),
        reason="A single session is one of those.",
    ),
)
