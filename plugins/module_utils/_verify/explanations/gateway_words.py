# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the table of causes lies behind a gateway."""

from __future__ import annotations

from ..explanation import Match
from .words import kinds

_SEEN = ("sessions", "session", "gateway", "agents")
BEHIND_THE_GATEWAY = (
    Match(at=_SEEN, family="gateway_"),
    Match(at=_SEEN, family="session"),
    kinds("server_error", "agents_stuck", "agents_stale", at=_SEEN),
)
