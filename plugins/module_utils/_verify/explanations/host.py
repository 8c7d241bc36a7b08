# SPDX-License-Identifier: GPL-3.0-or-later
"""What the state of the host explains."""

from __future__ import annotations

from ..explanation import Match, Row
from . import disk_full, user_manager
from .units import ENDED
from .words import API, BAD, LOGS, kinds

ROWS: tuple[Row, ...] = (
    disk_full.ROW,
    user_manager.ROW,
    Row(
        name="account",
        causes=(kinds("account_expired"),),
        effects=(Match(at=(*API, "frontend", "service", "queue", "host.port")), LOGS),
        reason="PAM refuses the session: the user's manager and all of its units are down.",
    ),
    Row(
        name="firewall",
        causes=(kinds("firewall_absent", "firewall_differs"),),
        effects=(kinds("door_bypassed"),),
        reason="Nothing drops what comes for ports behind the door from others.",
    ),
    Row(
        name="foreign port",
        causes=(kinds("port_foreign", at=("host.port",)),),
        effects=(
            kinds("port_held", "not_ok", "not_json", "not_html", *ENDED),
            Match(at=(*API, "frontend"), states=BAD),
            Match(at=("service",), same="unit"),
            LOGS,
        ),
        reason="The unit cannot start while another process holds its port and answers in its place.",
    ),
)
