# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check agents."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, listed

OPTIONS: Options = {
    "expected": listed([]),
    **pair("count"),
    **pair("offline"),
    **pair("stale", "3600"),
    **pair("provisioning", "900"),
}
