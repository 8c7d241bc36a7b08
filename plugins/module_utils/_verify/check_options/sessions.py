# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check sessions."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, listed, option

OPTIONS: Options = {
    "board_ids": listed([]),
    "expected": listed([]),
    **pair("count"),
    **pair("idle"),
    "agents_without_session": option("str", "warn", choices=["ignore", "warn", "fail"]),
    "sessions_without_agent": option("str", "ignore", choices=["ignore", "warn", "fail"]),
}
