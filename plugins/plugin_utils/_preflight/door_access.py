# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about who may come in by the front door, and to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...module_utils._application.door_access import PATHS
from ...module_utils._application.front_door import EXTERNAL, is_wanted
from ...module_utils._host.networks import network
from .model import PREFIX, Context, Problem

_NETWORKS, _CLOSED = "allowed_networks", "closed_paths"


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _problem(variable: str, message: str, remedy: str, value: Any) -> Problem:
    return Problem("door_access", f"{PREFIX}_{variable}", message=message, remedy=remedy, value=str(value))


def door_access(context: Context) -> Iterator[Problem]:
    """Networks that are none, paths that cannot be closed, and a door that is not ours."""
    given = {name: context.get(name) for name in (_NETWORKS, _CLOSED) if context.get(name)}
    if not is_wanted(context.get("public_url"), context.get("front_door")):
        external = context.get("front_door") == EXTERNAL
        for name in given:
            yield _problem(
                name,
                f"has no effect: {PREFIX}_front_door is {EXTERNAL}"
                if external
                else f"has no effect: {PREFIX}_public_url does not begin with https://",
                "set it up in your own proxy, and take this out"
                if external
                else f"give an https:// address in {PREFIX}_public_url, or take this out",
                given[name],
            )
        return
    for text in _listed(given.get(_NETWORKS, [])):
        try:
            network(text)
        except ValueError as error:
            yield _problem(
                _NETWORKS,
                f"is not a list of networks: {error}",
                "write them as 192.0.2.0/24 or 2001:db8::/32, one address as 192.0.2.7",
                text,
            )
    for name in _listed(given.get(_CLOSED, [])):
        if name not in PATHS:
            yield _problem(
                _CLOSED,
                "names something that the door does not know",
                f"use {' or '.join(PATHS)}, in a list",
                name,
            )
