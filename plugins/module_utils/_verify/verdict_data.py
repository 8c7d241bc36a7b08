# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts from plain data, as reports have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._cures import Cure
from .verdict import Measure, Verdict


def verdict_of(data: Mapping[str, Any]) -> Verdict:
    """The verdict that `to_dict` described."""
    return Verdict(
        name=str(data["name"]),
        state=str(data["state"]),
        summary=str(data.get("summary", "")),
        cause=str(data.get("cause", "")),
        remedy=str(data.get("remedy", "")),
        kind=str(data.get("kind", "")),
        cure=Cure(**(data.get("cure") or {})),
        evidence=dict(data.get("evidence") or {}),
        measures=[Measure(**measure) for measure in data.get("measures") or []],
        duration_ms=float(data.get("duration_ms", 0.0)),
        attempts=int(data.get("attempts", 1)),
        consequence_of=str(data.get("consequence_of", "")),
        checks=[verdict_of(part) for part in data.get("checks") or []],
    )
