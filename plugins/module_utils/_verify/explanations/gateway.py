# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway that cannot be asked explains."""

from __future__ import annotations

from ..explanation import Match, Row
from ..verdict import WARN
from .gateway_words import BEHIND_THE_GATEWAY
from .words import kinds

ROWS: tuple[Row, ...] = (
    Row(
        name="gateway",
        causes=(Match(at=("gateway",), family="gateway_"), kinds("settling", at=("gateway",))),
        effects=(
            *BEHIND_THE_GATEWAY,
            Match(at=("log",), states=frozenset({WARN})),
        ),
        reason="Agents and their sessions live on the gateway; the backend sees them through it.",
    ),
)
