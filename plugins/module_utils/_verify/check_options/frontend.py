# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check frontend."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, listed, option

OPTIONS: Options = {
    "frontend_url": option("str", ""),
    "api_url": option("str", ""),
    "pages": listed(["/"]),
    "probe": option("str", "/api/v1/organizations/me/member"),
    "backend_url": option("str", ""),
    **pair("latency", "3000", "10000"),
    **pair("certificate_days", "21:", "7:"),
}
