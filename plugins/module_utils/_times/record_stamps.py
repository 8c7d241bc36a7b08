# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments, written as records, names of files and tables have them."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc_stamp(moment: float | None = None) -> str:
    """A moment, by default this one, as records keep it: 2026-01-02T03:04:05Z. `timestamp` reads it.

    :param moment: seconds since the epoch.
    """
    return datetime.fromtimestamp(int(time.time() if moment is None else moment), UTC).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def name_stamp(moment: float) -> str:
    """A moment as a part of a file's name: 20260102T030405Z."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y%m%dT%H%M%SZ")


def local_time(moment: float, *, fine: bool = False) -> str:
    """A moment in the reader's zone, for tables; `fine` to the millisecond."""
    text = datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M:%S.%f")
    return text[:-3] if fine else text[:-7]
