# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check metrics."""

from __future__ import annotations

from ..option_model import Options, listed, option

METRIC_RANGES = ["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"]

OPTIONS: Options = {
    "ranges": listed(METRIC_RANGES, choices=METRIC_RANGES),
    "board_ids": listed([]),
    "group_ids": listed([]),
    "threshold_ranges": listed(["24h"], choices=METRIC_RANGES),
    "kpi_warning": option("dict", {}),
    "kpi_critical": option("dict", {}),
    "change_warning": option("dict", {}),
    "change_critical": option("dict", {}),
}
