# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check session."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, listed, option

OPTIONS: Options = {
    "board_ids": listed([]),
    "session_ids": listed([]),
    "messages_minimum": option("int", 0),
    **pair("message_age"),
}
