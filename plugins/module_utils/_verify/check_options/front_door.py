# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check front_door."""

from __future__ import annotations

from ..._application.door_access import PATHS
from ..limit_options import pair
from ..option_model import Options, listed, option

OPTIONS: Options = {
    "http_url": option("str", ""),
    "hsts": option("bool", True),
    "direct": listed([]),
    "closed": listed([], choices=[*PATHS]),
    "stream_seconds": option("float", 3.0),
    "stream_hold": option("float", 0.0),
    "forged": option("bool", False),
    "websocket_path": option("str", ""),
    "gateway_url": option("str", ""),
    **pair("certificate_days", "14:", "3:"),
}
