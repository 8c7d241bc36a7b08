# SPDX-License-Identifier: GPL-3.0-or-later
"""What an address explains that is out of reach."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import NOT_REACHED, kinds

ROW = Row(
    name="address",
    causes=(kinds(*NOT_REACHED),),
    effects=(Match(kinds=NOT_REACHED, same="cause"),),
    reason="Requests that fail at one address for one reason have one fault between them.",
)
