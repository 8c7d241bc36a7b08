# SPDX-License-Identifier: GPL-3.0-or-later
"""Restorations as the module backup_restore asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import here, restoring


def bring_back(options: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """What the module backup_restore does."""
    found, restic = here.open_here()
    if options["state"] == "restored":
        answer = restoring.restore(found, restic, options, check=check)
        return {**answer, "diff": _difference(answer)}
    if check:
        return {"changed": True, "returned": []}
    return restoring.give_back(found) if options["state"] == "returned" else restoring.keep(found)


def _difference(answer: Mapping[str, Any]) -> dict[str, str]:
    changed = [row for row in answer["rows"] if row["now"] != row["then"]]
    now, then = (
        "".join(f"{row['table']}: {_number(row[side])}\n" for row in changed) for side in ("now", "then")
    )
    return {
        "before_header": "rows now",
        "after_header": f"rows in {answer['point']['name']}",
        "before": now,
        "after": then,
    }


def _number(rows: int | None) -> str:
    return "no such table" if rows is None else str(rows)
