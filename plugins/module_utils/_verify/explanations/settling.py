# SPDX-License-Identifier: GPL-3.0-or-later
"""What a start explains that is not over yet."""

from __future__ import annotations

from ..explanation import Row
from .words import kinds

ROW = Row(
    name="settling",
    causes=(kinds("settling"),),
    effects=(kinds("settling", "gateway_starting"),),
    reason="One start is the reason for all that comes late after it.",
)
