# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check backup."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, option

OPTIONS: Options = {
    **pair("age", "97200", "259200"),
    **pair("check_age", "1382400", "3456000"),
    **pair("drill_age", "1382400", "3456000"),
    **pair("room", "1.5:", ""),
    **pair("growth", "0.5:3", ""),
    "on_the_host": option("bool", False),
    "lock_age": option("int", 1800),
}
