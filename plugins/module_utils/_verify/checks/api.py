# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that several checks ask the API for, page by page: boards, agents, and others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..context import Problem
from ..http_context import HttpContext

MAX_ITEMS = 1_000_000


def pages(
    context: HttpContext, path: str, parameters: Mapping[str, Any] | None = None, limit: int = 200
) -> list[Any]:
    """All items of a list, whatever the number of its pages."""
    given = dict(parameters or {})
    first = context.fetch(path, {**given, "limit": limit, "offset": 0})
    if isinstance(first, list):
        return first
    items = _items(first, path)
    total = first.get("total")
    total = total if isinstance(total, int) else len(items)
    step = len(items)
    if total > MAX_ITEMS:
        raise Problem(
            "too_many",
            f"{path} says that it has {total} items",
            cause=f"More than {MAX_ITEMS} items are not read: the figure is hardly true.",
            remedy="Look at the backend's journal and its database.",
            evidence={"total": total},
        )
    if step and total > step:

        def page(offset: int) -> list[Any]:
            return _items(context.fetch(path, {**given, "limit": limit, "offset": offset}), path)

        rest = context.parallel([partial(page, offset) for offset in range(step, total, step)], limit=8)
        for more in rest:
            items.extend(more)
    return items


def _items(page: Any, path: str) -> list[Any]:
    items = page.get("items") if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise Problem(
            "unexpected_shape",
            f"{path} answered without a list of items",
            cause="The backend is of a version whose answers have another shape.",
            remedy="Compare mission_control_revision with the versions that this collection supports.",
            evidence={"keys": sorted(map(str, page))[:20] if isinstance(page, dict) else type(page).__name__},
        )
    return list(items)


def boards(context: HttpContext) -> list[dict[str, Any]]:
    """All boards."""
    found: list[dict[str, Any]] = context.once("boards", lambda: pages(context, "/api/v1/boards"))
    return found


def agents(context: HttpContext) -> list[dict[str, Any]]:
    """All agents."""
    found: list[dict[str, Any]] = context.once("agents", lambda: pages(context, "/api/v1/agents"))
    return found
