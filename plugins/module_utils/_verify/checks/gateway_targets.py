# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateways that several checks ask for, through the boards that are bound to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..context import Problem
from ..http_context import HttpContext
from ..verdict import SKIP
from .api import boards
from .dialect import dialect


@dataclass(frozen=True)
class Target:
    """A gateway as a check asks for it: through a board, or directly."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    board_id: str = ""
    gateway_id: str = ""

    @property
    def connection(self) -> str:
        """What boards that share a gateway have in common: one question to it serves them all."""
        return self.gateway_id or str(self.parameters)


def targets(context: HttpContext, options: Mapping[str, Any]) -> list[Target]:
    """The boards named, or every board that is bound to a gateway; on the guide's paths the one gateway."""
    spoken = dialect(context)
    wanted = [str(board) for board in options.get("board_ids") or []]
    if spoken.singular and not wanted:
        return [Target("gateway", ())]
    try:
        known = {str(board.get("id")): board for board in boards(context)}
    except Problem:
        if not wanted:
            raise
        known = {}
    found: list[Target] = []
    for board_id in wanted or [key for key, board in known.items() if board.get("gateway_id")]:
        board = known.get(board_id, {})
        name = f"board {board.get('slug') or board.get('name') or board_id}"
        if any(target.name == name for target in found):
            name = f"{name} {board_id}"
        found.append(Target(name, (("board_id", board_id),), board_id, str(board.get("gateway_id") or "")))
    return found


def nothing_bound() -> Problem:
    """No board has a gateway: nothing to ask."""
    return Problem(
        "no_gateway",
        "no board is bound to a gateway",
        cause="No gateway has been registered with a board yet.",
        remedy="Deploy a gateway (group mission_control_gateway), or bind a board to one in the user "
        "interface.",
        state=SKIP,
    )
