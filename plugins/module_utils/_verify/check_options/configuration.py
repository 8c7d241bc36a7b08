# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check configuration."""

from __future__ import annotations

from ..option_model import UNITS, Options, listed, option

OPTIONS: Options = {
    "environment_units": listed([unit for unit in UNITS if not unit.endswith("frontend")]),
    "expected_api_url": option("str", ""),
    "frontend_url": option("str", ""),
    "gateway_version": option("str", ""),
}
