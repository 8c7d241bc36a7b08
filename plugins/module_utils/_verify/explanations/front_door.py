# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front door explains that does not let anybody in."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import API, NOT_REACHED, kinds

_TLS = ("tls_expired", "tls_not_yet_valid", "tls_untrusted", "tls_hostname", "tls")

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
            kinds("not_json", "not_html", "not_found", "not_ok", at=(*API, "frontend")),
            Match(at=("front_door",), family="cors_"),
            Match(at=("front_door",), kinds=frozenset({"door_body_refused", "not_json"})),
        ),
        reason="A proxy that hands the API's requests to the pages answers in their place.",
    ),
    Row(
        name="gateway's address",
        causes=(Match(at=("front_door.gateway page",), family="door_"),),
        effects=(Match(at=("front_door.gateway websocket", "front_door.gateway origin"), family="door_"),),
        reason="Who does not get the control page gets no WebSocket there either.",
    ),
)
