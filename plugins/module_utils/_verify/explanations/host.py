# SPDX-License-Identifier: GPL-3.0-or-later
"""What the state of the host explains."""

from __future__ import annotations

from ..explanation import Match, Row
from . import disk_full, user_manager
from .gateway_words import BEHIND_THE_GATEWAY
from .units import BROKEN_START, ENDED
from .words import API, BAD, LOGS, NOT_REACHED, kinds

ROWS: tuple[Row, ...] = (
    disk_full.ROW,
    user_manager.ROW,
    Row(
        name="older sandboxes",
        causes=(kinds("sandbox_outdated"),),
        effects=(kinds("sandbox_outdated"),),
        reason="One new start of the user's manager is the reason for all that runs below it.",
    ),
    Row(
        name="account",
        causes=(kinds("account_expired"),),
        effects=(Match(at=(*API, "frontend", "service", "queue", "host.port")), LOGS),
        reason="PAM refuses the session: the user's manager and all of its units are down.",
    ),
    Row(
        name="ways within the host",
        causes=(kinds("loopback_down", "local_ports"),),
        effects=(
            kinds(*NOT_REACHED, "server_error", "api_url_unknown", *BROKEN_START),
            Match(at=("database", "queue"), states=BAD),
            *BEHIND_THE_GATEWAY,
            Match(family="door_"),
            Match(at=("frontend",), states=BAD),
            LOGS,
        ),
        reason="Who cannot be reached at this host's own addresses answers nobody on it.",
    ),
    Row(
        name="closed directory",
        causes=(kinds("directory_closed"),),
        effects=(
            Match(
                at=(*API, "frontend", "service", "configuration", "database", "queue", "host.port", "backup"),
                but=frozenset({"not_deployed"}),
            ),
            kinds("database_down", "redis_down"),
            LOGS,
        ),
        reason="Who does not get to his files reads no settings and starts nothing.",
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
