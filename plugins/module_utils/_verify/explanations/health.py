# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API that does not answer explains."""

from __future__ import annotations

from ..explanation import Match, Row
from . import failing_request
from .words import API, NOT_REACHED, kinds

ROWS: tuple[Row, ...] = (
    Row(
        name="API",
        causes=(kinds(*NOT_REACHED, "not_json", "not_found", "server_error", "not_ok", at=("health",)),),
        effects=(Match(at=API, same="kind"), kinds("door_backend_lost", at=API)),
        reason="What the health endpoints fail with, the rest of the API fails with, and the door does not "
        "reach it either.",
    ),
    failing_request.ROW,
)
