# SPDX-License-Identifier: GPL-3.0-or-later
"""What a token that is not let in explains."""

from __future__ import annotations

from ..explanation import Row
from . import failing_request
from .words import AUTHENTICATED, kinds

NOT_LET_IN = frozenset({"unauthorized", "forbidden", "no_token"})

ROWS: tuple[Row, ...] = (
    failing_request.ROW,
    Row(
        name="token",
        causes=(kinds(*NOT_LET_IN, at=("membership.role",)),),
        effects=(kinds(*NOT_LET_IN, at=AUTHENTICATED),),
        reason="All of them send the same token.",
    ),
    Row(
        name="role",
        causes=(kinds("wrong_role"),),
        effects=(kinds("forbidden", at=AUTHENTICATED),),
        reason="A user of a lesser role may not ask for all of it.",
    ),
    Row(
        name="API with a token",
        causes=(kinds("server_error", at=("membership.role",)),),
        effects=(kinds("server_error", at=AUTHENTICATED),),
        reason="What fails for the simplest question with a token fails for the others.",
    ),
)
