# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as reports and logs have them; see record_stamps for others, and timestamps for reading them."""

from __future__ import annotations

from datetime import UTC, datetime


def fine_stamp(moment: float) -> str:
    """A moment to the millisecond, as reports and logs have it: 2026-01-02T03:04:05.678+00:00."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
