# SPDX-License-Identifier: GPL-3.0-or-later
"""What an address explains that is out of reach, or lets nobody in from here."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import DOOR_LOST, NOT_REACHED, kinds

_KINDS = NOT_REACHED | DOOR_LOST | {"door_no_entry"}
ROW = Row(
    name="address",
    causes=(kinds(*_KINDS),),
    effects=(Match(kinds=_KINDS, same="cause"),),
    reason="Requests that fail at one address for one reason have one fault between them.",
)
