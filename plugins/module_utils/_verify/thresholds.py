# SPDX-License-Identifier: GPL-3.0-or-later
"""Thresholds in the range syntax of the monitoring plugins, durations, sizes and times."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from .verdict import FAIL, PASS, WARN

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
            f"{given!r} is not a valid range: use 10 (0 to 10 is fine), 10: (10 or more), ~:10 (10 or less), "
            "10:20 (between them) or @10:20 (outside of them)"
        )
    inside, start_text, end_text = match.groups()
    start = -math.inf if start_text == "~" else float(start_text or 0)
    end = float(end_text) if end_text is not None else math.inf
    if start > end:
        raise ValueError(f"{given!r} is not a valid range: its start lies above its end")
    return Range(start, end, bool(inside), given)


def judge(value: float, warn: str | float | None, crit: str | float | None) -> str:
    """The state of a value under a pair of thresholds; the critical one is looked at first."""
    if crit not in (None, "") and parse_range(crit).alerts(value):
        return FAIL
    if warn not in (None, "") and parse_range(warn).alerts(value):
        return WARN
    return PASS
