# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions of a gateway, as the backend tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..context import Problem
from ..http_context import HttpContext
from .dialect import dialect
from .gateway_targets import Target
from .through_gateway import ask_gateway


def is_main(session: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether it is the gateway's main session, which every status call touches; known by its sessionId."""
    main = body.get("main_session")
    if not isinstance(main, Mapping):
        return False
    if main.get("key"):
        return bool(main["key"] == session.get("key"))
    return bool(main.get("sessionId")) and main.get("sessionId") == session.get("sessionId")


def sessions_of(context: HttpContext, target: Target) -> dict[str, Any]:
    """The sessions of a gateway; asked for once for all checks."""

    def find() -> dict[str, Any]:
        body = context.fetch(f"{dialect(context).prefix}/sessions", dict(target.parameters))
        if isinstance(body, list):
            body = {"sessions": body}
        if not isinstance(body, dict) or not isinstance(body.get("sessions"), list):
            raise Problem(
                "unexpected_shape",
                "the answer has no list of sessions",
                cause="The backend is of a version whose answers have another shape.",
                remedy="Compare mission_control_revision with the versions that this collection supports.",
                evidence={
                    "keys": sorted(map(str, body))[:20] if isinstance(body, dict) else type(body).__name__
                },
            )
        return dict(body)

    found: dict[str, Any] = context.once(
        f"sessions {target.connection}", lambda: ask_gateway(context, target, find)
    )
    return found
