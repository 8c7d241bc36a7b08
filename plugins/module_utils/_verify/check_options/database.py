# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check database."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, option

OPTIONS: Options = {
    "database_url": option("str", "", no_log=True),
    "statement_timeout": option("float", 5.0),
    **pair("transaction", "300", "3600"),
    **pair("locks", "5", "50"),
    **pair("connections", "80", "95"),
    **pair("size"),
    **pair("slots", "1000000000", "10000000000"),
    "data_directory": option("str", "/var/lib/postgresql"),
    **pair("disk", "10:", "3:"),
    "backup_directory": option("str", ""),
    **pair("backup_age", "129600", "259200"),
    **pair("certificate_days", "60:", "7:"),
}
