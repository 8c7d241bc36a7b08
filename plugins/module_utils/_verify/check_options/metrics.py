# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check metrics."""

from __future__ import annotations

from ..option_model import Options, listed, option

METRIC_RANGES = ["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"]

TITLE = "the metrics answer for the asked ranges, in shape, and within thresholds"
OPTIONS: Options = {
    "ranges": listed("Ranges to ask for.", METRIC_RANGES, choices=METRIC_RANGES),
    "board_ids": listed("Boards to filter by, each with all ranges.", []),
    "group_ids": listed("Board groups to filter by, each with all ranges.", []),
    "threshold_ranges": listed("Ranges that the thresholds hold for.", ["24h"], choices=METRIC_RANGES),
    "kpi_warning": option("dict", "Ranges of KPIs by name. Outside of them: warn.", {}),
    "kpi_critical": option("dict", "Ranges of KPIs by name. Outside of them: fail.", {}),
    "change_warning": option(
        "dict",
        "Ranges by series (V(throughput), V(cycle_time), V(error_rate)) for the change of its mean "
        "against the comparison series, in percent. Outside of them: warn.",
        {},
    ),
    "change_critical": option("dict", "The same. Outside of them: fail.", {}),
}
