# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Durations, moments and sizes, as people write and read them."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime, timedelta

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
    raise ValueError(f"{text!r} is no time: {_ACCEPTED}")


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
            raise ValueError(f"{text!r} is no duration: use seconds, or 90s, 15m, 1h30m, 7d") from None
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{text!r} is no duration: it must be zero or more")
    return value


def since(text: str | float, now: float) -> float:
    """A time in the past: a duration before now, or a time of its own."""
    try:
        return now - duration(text)
    except ValueError:
        moment = timestamp(text) if isinstance(text, str) and re.match(r"\s*\d{4}-\d\d-\d\d", text) else None
        if moment is None:
            raise ValueError(
                f"{text!r} is no duration and no time: use 90s, 15m, 1h30m, 7d, or 2026-11-24T13:00:00 (UTC)"
            ) from None
        return moment


def brief(seconds: float) -> str:
    """A duration for people."""
    seconds = abs(seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def size(number: float) -> str:
    """A number of bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


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


# --- moments, written: in UTC where they are kept or sent, in the reader's zone in tables ------------


def utc_stamp(moment: float | None = None) -> str:
    """A moment, by default this one, as records keep it: 2026-01-02T03:04:05Z. `timestamp` reads it.

    :param moment: seconds since the epoch.
    """
    return datetime.fromtimestamp(int(time.time() if moment is None else moment), UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def fine_stamp(moment: float) -> str:
    """A moment to the millisecond, as reports and logs have it: 2026-01-02T03:04:05.678+00:00."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def name_stamp(moment: float) -> str:
    """A moment as a part of a file's name: 20260102T030405Z."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y%m%dT%H%M%SZ")


def local_time(moment: float, *, fine: bool = False) -> str:
    """A moment in the reader's zone, for tables; `fine` to the millisecond."""
    text = datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M:%S.%f")
    return text[:-3] if fine else text[:-7]
