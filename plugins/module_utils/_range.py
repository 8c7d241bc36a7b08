# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Thresholds in the range syntax of the monitoring plugins, durations, sizes and times."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from ._verdict import FAIL, PASS, WARN

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"(@)?(?:(~|{_NUMBER})?:)?({_NUMBER})?")


@dataclass(frozen=True)
class Range:
    """What is all right: from start to end; with `inside` it is the other way round."""

    start: float
    end: float
    inside: bool = False
    text: str = ""

    def alerts(self, value: float) -> bool:
        """Whether the value calls for an alert. What is no number always does."""
        if math.isnan(value):
            return True
        within = self.start <= value <= self.end
        return within if self.inside else not within

    def __str__(self) -> str:
        return self.text


def parse_range(text: str | float) -> Range:
    """`10`, `10:`, `~:10`, `10:20`, `@10:20`."""
    given = str(text).strip()
    match = _RANGE.fullmatch(given)
    if not match or not given or given in (":", "@", "@:"):
        raise ValueError(
            f"{given!r} is no range: use 10 (0 to 10 is fine), 10: (10 or more), ~:10 (10 or less), "
            "10:20 (between them) or @10:20 (outside of them)"
        )
    inside, start_text, end_text = match.groups()
    start = -math.inf if start_text == "~" else float(start_text or 0)
    end = float(end_text) if end_text is not None else math.inf
    if start > end:
        raise ValueError(f"{given!r} is no range: its start lies above its end")
    return Range(start, end, bool(inside), given)


def judge(value: float, warn: str | float | None, crit: str | float | None) -> str:
    """The state of a value under a pair of thresholds; the critical one is looked at first."""
    if crit not in (None, "") and parse_range(crit).alerts(value):
        return FAIL
    if warn not in (None, "") and parse_range(warn).alerts(value):
        return WARN
    return PASS


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
