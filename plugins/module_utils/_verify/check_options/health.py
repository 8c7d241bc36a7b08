# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check health."""

from __future__ import annotations

from ..option_model import Options, listed, option, pair

TITLE = "the backend answers its health endpoints, in time"
OPTIONS: Options = {
    "paths": listed("The health endpoints.", ["/health", "/healthz", "/readyz"]),
    **pair("latency", "the time to the whole answer, in milliseconds,", "1000", "5000"),
    "samples": option(
        "int",
        "How many times each endpoint is asked, one after the other. Every answer has to be good.",
        1,
    ),
    "percentile": option(
        "float",
        "Of several samples, the percentile of their times that the limits of latency are for: "
        "100 is the slowest.",
        95.0,
    ),
}
