# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check queue."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, listed, option

OPTIONS: Options = {
    "redis_url": option("str", "", no_log=True),
    "queue_name": option("str", ""),
    "redis_users": listed([]),
    "workers_minimum": option("int", 1),
    "hung_after": option("int", 300),
    **pair("depth", "100", "1000"),
    **pair("age", "60", "600"),
    **pair("overdue", "60", "600"),
    **pair("certificate_days", "60:", "7:"),
}
