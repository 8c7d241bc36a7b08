# SPDX-License-Identifier: GPL-3.0-or-later
"""Boards as Mission Control keeps them, and at which gateway."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from .._redaction import Redactor
from .api_transport import ApiError
from .registration import (
    GATEWAYS,
    Api,
    Outcome,
    Registrar,
    api_of,
    diff_side,
    find,
    shown,
    told_without,
)

BOARDS = "/api/v1/boards"

# What a board is described by; the module board and the option boards of the module gateway share it.
BOARD_OPTIONS: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "slug": {"type": "str"},
    "description": {"type": "str"},
    "board_type": {"type": "str", "choices": ["goal", "general"]},
    "objective": {"type": "str"},
    "max_agents": {"type": "int"},
    "fields": {"type": "dict", "default": {}},
}


def make_slug(name: str) -> str:
    """The name in small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "board"


def board_keys(board: Mapping[str, Any]) -> dict[str, str]:
    """How a board is recognised: by the chosen slug, else by the one made from its name, or by its name."""
    if board["slug"]:
        return {"slug": board["slug"]}
    return {"slug": make_slug(board["name"]), "name": board["name"]}


def keep_board(registrar: Registrar, board: Mapping[str, Any], gateway_id: str | None) -> Outcome:
    """Create or update a board. No gateway: in check mode, where the gateway is still to be registered."""
    wanted: dict[str, Any] = {"name": board["name"], **(board["fields"] or {})}
    if gateway_id is not None:
        wanted["gateway_id"] = gateway_id
    for name in ("slug", "description", "board_type", "objective", "max_agents"):
        if board[name] is not None:
            wanted[name] = board[name]
    # The product insists on both when it makes a board.
    needed = {"slug": make_slug(board["name"]), "description": board["name"]}
    create_only = {name: value for name, value in needed.items() if not wanted.get(name)}
    return registrar.present(board_keys(board), wanted, create_only=create_only)


def board_diff(board: Mapping[str, Any], outcome: Outcome) -> dict[str, str]:
    """What changes of a board."""
    names = sorted({"name", "slug", "description", "gateway_id", *outcome.fields})
    header = f"board {board['name']}"
    return {
        "before": diff_side(outcome.before, names, "before"),
        "after": diff_side(outcome.item, names, "after"),
        "before_header": header,
        "after_header": header,
    }


def gateway_id(api: Api, name: str, check: bool) -> str | None:
    """The id of the registered gateway of this name; in check mode it may be one that is still to be made."""
    item = find(api.items(GATEWAYS), {"name": name}, "gateway")
    if item is None:
        if check:
            return None
        raise ApiError(
            f"There is no registered gateway {name!r}.",
            "Register it first (module gateway, or mission_control_gateways in the inventory).",
        )
    return str(item["id"])


def keep(options: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """What the module board does; `options` are its own. Returns its result."""
    redactor = Redactor([options["token"]])
    with told_without(redactor):
        api = api_of(options)
        registrar = Registrar(api, BOARDS, "board", deadline=options["deadline"], check=check)
        if options["state"] == "absent":
            outcome = registrar.absent(board_keys(options))
        else:
            bound = options["gateway_id"] or gateway_id(api, options["gateway"], check)
            outcome = keep_board(registrar, options, bound)
    result = {
        "changed": outcome.changed,
        "action": outcome.action,
        "fields": outcome.fields,
        "attempts": outcome.attempts,
        "board": shown(outcome.item, redactor),
    }
    return {**result, "diff": board_diff(options, outcome)} if outcome.changed else result
