# SPDX-License-Identifier: GPL-3.0-or-later
"""Which boards come along with the registration of their gateway, and which are kept one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def plan(boards: Iterable[Mapping[str, Any]], registrations: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The boards by what has to be done with them.

    :param boards: as the operator names them; `gateway` is the name of a registration, by default of the
      first.
    :param registrations: gateways that are registered, or (`state`) removed.
    :returns: `first`, the name of the first registration or empty; `bound`, the fields of boards by the name
      of the gateway with which they are registered; `apart`, boards that are to go, or whose gateway somebody
      else registers.
    """
    listed = list(registrations)
    first = str(listed[0].get("name", "")) if listed else ""
    present = {item.get("name") for item in listed if item.get("state", "present") == "present"}
    bound: dict[str, list[dict[str, Any]]] = {}
    apart = []
    for board in boards:
        gateway = board.get("gateway", first)
        if board.get("state", "present") == "absent" or "gateway_id" in board or gateway not in present:
            apart.append(dict(board))
            continue
        fields = {name: value for name, value in board.items() if name not in ("gateway", "state")}
        bound.setdefault(gateway, []).append(fields)
    return {"first": first, "bound": bound, "apart": apart}
