# SPDX-License-Identifier: GPL-3.0-or-later
"""What a frontend that was built wrongly explains."""

from __future__ import annotations

from ..explanation import Match, Row
from . import failing_request
from .words import kinds

ROWS: tuple[Row, ...] = (
    failing_request.ROW,
    Row(
        name="assets",
        causes=(kinds("assets_broken", "no_assets"),),
        effects=(kinds("api_url_unknown"),),
        reason="The address of the API is in the scripts that are missing.",
    ),
    Row(
        name="API's address",
        causes=(Match(at=("configuration.api_url", "frontend.api_url"), but=frozenset({"maintenance"})),),
        effects=(
            Match(at=("frontend.api", "frontend.cors"), but=frozenset({"maintenance"})),
            kinds("api_url_differs"),
        ),
        reason="The page asks the address that was built into it.",
    ),
)
