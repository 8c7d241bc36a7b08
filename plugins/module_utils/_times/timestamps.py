# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as programs and answers have them, read."""

from __future__ import annotations

import math
from datetime import UTC, datetime


def timestamp(value: object) -> float | None:
    """Seconds since the epoch from an ISO time (without a zone: UTC), epoch seconds or milliseconds."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        number = float(value)
        if not math.isfinite(number):
            return None
        # Nothing here is older than 1973 in milliseconds or newer than the year 5138 in seconds.
        return number / 1000 if abs(number) >= 1e11 else number
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
