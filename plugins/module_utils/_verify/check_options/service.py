# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check service."""

from __future__ import annotations

from ..._times.durations import duration
from ..limit_options import pair
from ..option_model import UNITS, Options, listed, option

OPTIONS: Options = {
    "units": listed(UNITS),
    "gateway_unit": option("bool", False),
    "gateway_user": option("str", ""),
    "restart_window": option("str", "15m", form=duration),
    **pair("restarts", "0", "3"),
    **pair("memory"),
    **pair("cpu", "", "0.8"),
    "enabled": option("bool", True),
    "release": option("bool", True),
}
