# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check gateway."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, listed, option

OPTIONS: Options = {
    "board_ids": listed([]),
    "gateway_url": option("str", ""),
    "gateway_token": option("str", "", no_log=True),
    "disable_device_pairing": option("bool", False),
    "allow_insecure_tls": option("bool", False),
    "required": option("bool", False),
    **pair("sessions"),
}
