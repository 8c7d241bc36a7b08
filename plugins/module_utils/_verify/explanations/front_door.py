# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front door explains that does not let anybody in."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import API, NOT_REACHED, kinds

# How others meet a door that does not let them in; of this host: out_of_reach.
_TLS = (
    "tls_expired",
    "tls_not_yet_valid",
    "tls_untrusted",
    "tls_hostname",
    "tls",
    "not_http",
    "out_of_reach",
)

ROWS: tuple[Row, ...] = (
    Row(
        name="front door",
        causes=(
            Match(at=("front_door.certificate",), family="door_", but=frozenset({"door_certificate_ends"})),
        ),
        effects=(
            kinds(*NOT_REACHED, *_TLS, at=(*API, "frontend")),
            Match(at=("front_door.redirect",), kinds=frozenset({"door_no_redirect"})),
        ),
        reason="Whoever comes from outside comes through the door.",
    ),
    Row(
        name="routes",
        causes=(Match(at=("front_door.routes",), kinds=frozenset({"door_routes"})),),
        effects=(
            kinds("not_json", "not_html", "not_found", "not_ok", at=(*API, "frontend", "front_door")),
            Match(at=("front_door", "cors", "frontend.cors"), family="cors_"),
            kinds("door_body_refused", "door_stream_refused", at=("front_door",)),
        ),
        reason="A proxy that hands the API's requests to the pages answers in their place.",
    ),
    Row(
        name="backend behind the door",
        causes=(kinds("door_backend_lost"),),
        effects=(kinds("door_body_refused", "door_stream_refused", at=("front_door",)),),
        reason="What the door does not reach takes no bodies and sends no streams.",
    ),
    Row(
        name="open port",
        causes=(kinds("port_exposed", at=("host.port",)),),
        effects=(kinds("door_bypassed", at=("front_door",)),),
        reason="What listens where others reach it is reached past the door.",
    ),
    Row(
        name="gateway's address",
        causes=(Match(at=("front_door.gateway page",), family="door_"),),
        effects=(Match(at=("front_door.gateway websocket", "front_door.gateway origin"), family="door_"),),
        reason="Who does not get the control page gets no WebSocket there either.",
    ),
)
