# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check host."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import UNITS, Options, listed, option

OPTIONS: Options = {
    "paths": listed(
        ["/", "~/mission-control", "/tmp", "/var/log"]  # noqa: S108
    ),
    **pair("disk", "10:", "3:"),
    **pair("memory", "5:", "2:"),
    "ports": listed(
        [],
        elements="dict",
        options={
            "port": option("int", required=True),
            "bind": option("str", ""),
            "unit": option("str", ""),
            "users": listed([]),
        },
    ),
    "guarded": listed(
        [],
        elements="dict",
        options={"port": option("int", required=True), "sources": listed([])},
    ),
    "strangers": option("bool", True),
    "allowed_ports": listed([], elements="int"),
    "sandbox_units": listed(UNITS),
    "gateway_sandbox": option("bool", True),
    "certificate_renewal": option("bool", False),
}
