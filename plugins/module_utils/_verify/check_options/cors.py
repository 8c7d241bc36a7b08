# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check cors."""

from __future__ import annotations

from ..option_model import Options, listed, option

OPTIONS: Options = {
    "origins": listed([]),
    "foreign_origins": listed(["https://foreign-origin.invalid"]),
    "path": option("str", "/api/v1/organizations/me/member"),
    "method": option("str", "GET"),
    "request_headers": listed(["authorization"]),
}
