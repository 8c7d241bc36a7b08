# SPDX-License-Identifier: GPL-3.0-or-later
"""What a noisy log explains."""

from __future__ import annotations

from ..explanation import Match, Row

ROWS: tuple[Row, ...] = (
    Row(
        name="log",
        causes=(Match(at=("log",)),),
        effects=(Match(at=("log",), same="unit"),),
        reason="What a unit logs too often is an error, a traceback and a flood at once.",
    ),
)
