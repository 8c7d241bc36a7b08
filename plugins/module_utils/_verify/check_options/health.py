# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check health."""

from __future__ import annotations

from ..limit_options import pair
from ..option_model import Options, listed, option

OPTIONS: Options = {
    "paths": listed(["/health", "/healthz", "/readyz"]),
    **pair("latency", "1000", "5000"),
    "samples": option("int", 1),
    "percentile": option("float", 95.0),
}
