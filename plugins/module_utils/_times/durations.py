# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations, as people write them; for people to read they are in amounts."""

from __future__ import annotations

import math
import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d|w)\s*")


def duration(text: str | float) -> float:
    """Seconds: a number, or `90s`, `15m`, `1h30m`, `7d`."""
    given = str(text).strip().lower()
    try:
        value = float(given)
    except ValueError:
        value, position = 0.0, 0
        while position < len(given):
            match = _DURATION.match(given, position)
            if not match:
                break
            value += float(match[1]) * _UNITS[match[2]]
            position = match.end()
        if not given or position < len(given):
            raise ValueError(
                f"{text!r} is not a valid duration: use seconds, or 90s, 15m, 1h30m, 7d"
            ) from None
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{text!r} is not a valid duration: it must be zero or more")
    return value
