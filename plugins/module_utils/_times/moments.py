# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as operators write them: two hours ago, yesterday, 14:30."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from .durations import duration

_WORDS = re.compile(
    r"(\d+(?:\.\d+)?)\s*(seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?)\b\s*", re.IGNORECASE
)
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d)?")
_ACCEPTED = (
    "use 10m, 2h30m or 3d (ago), 2 hours ago, today, yesterday, now, 14:30, 2026-01-31, "
    "2026-01-31 14:30:00 (the host's time zone), 2026-01-31T14:30:00Z, or @1769869800"
)


def _words_to_duration(text: str) -> str:
    short = {"s": "s", "m": "m", "h": "h", "d": "d", "w": "w"}
    return _WORDS.sub(lambda match: f"{match[1]}{short[match[2][0].lower()]}", text)


def moment(text: str, now: float) -> float:
    """Seconds since the epoch of a time as people write it. Raises ValueError with what would do."""
    given = text.strip()
    lower = given.lower()
    local = datetime.fromtimestamp(now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if lower == "now":
            return now
        if lower == "today":
            return midnight.timestamp()
        if lower == "yesterday":
            return (midnight - timedelta(days=1)).timestamp()
        if given.startswith("@"):
            return float(given[1:])
        if _CLOCK.fullmatch(given):
            hour, minute, *second = (int(part) for part in given.split(":"))
            return midnight.replace(hour=hour, minute=minute, second=second[0] if second else 0).timestamp()
        if re.match(r"\d{4}-", given):
            # Without a zone it is the local one, as for journalctl.
            return datetime.fromisoformat(given.replace(" UTC", "+00:00")).timestamp()
        ago = re.sub(r"\s*\bago$", "", lower).removeprefix("-").strip()
        if ago and not ago.replace(".", "", 1).isdigit():
            return now - duration(_words_to_duration(ago))
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError(f"{text!r} is not a valid time: {_ACCEPTED}")
