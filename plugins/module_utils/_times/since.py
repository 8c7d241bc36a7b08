# SPDX-License-Identifier: GPL-3.0-or-later
"""Times in the past, as people write them: how long ago, or when."""

from __future__ import annotations

import re

from .durations import duration
from .timestamps import timestamp


def since(text: str | float, now: float) -> float:
    """A time in the past: a duration before now, or a time of its own."""
    try:
        return now - duration(text)
    except ValueError:
        moment = timestamp(text) if isinstance(text, str) and re.match(r"\s*\d{4}-\d\d-\d\d", text) else None
        if moment is None:
            raise ValueError(
                f"{text!r} is neither a duration nor a time: use 90s, 15m, 1h30m, 7d, "
                "or 2026-11-24T13:00:00 (UTC)"
            ) from None
        return moment
