# SPDX-License-Identifier: GPL-3.0-or-later
"""What one request explains at which the backend fails."""

from __future__ import annotations

from ..explanation import Match, Row
from .units import BACKEND
from .words import API, kinds

ROW = Row(
    name="failing request",
    causes=(kinds("server_error", at=API),),
    # The same request, asked by several checks.
    effects=(
        Match(at=API, kinds=frozenset({"server_error"}), same="summary"),
        Match(at=(f"log.{BACKEND}",)),
    ),
    reason="What the backend fails at once it fails at for everybody who asks the same, and logs it.",
)
