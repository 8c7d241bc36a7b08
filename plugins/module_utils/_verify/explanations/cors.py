# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refused origin explains."""

from __future__ import annotations

from ..explanation import Match, Row

ROWS: tuple[Row, ...] = (
    Row(
        name="CORS",
        causes=(Match(at=("cors",), family="cors_"),),
        effects=(Match(at=("frontend.cors", "cors"), family="cors_"),),
        reason="The page asks the same backend.",
    ),
)
