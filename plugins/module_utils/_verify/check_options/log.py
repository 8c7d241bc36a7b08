# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the check log."""

from __future__ import annotations

from ..._times.since import since
from ..limit_options import pair
from ..option_model import UNITS, Options, listed, option


def _moment(text: str) -> None:
    """A duration, a time, or "start"."""
    if text != "start":
        since(text, 0.0)


OPTIONS: Options = {
    "units": listed(UNITS),
    "since": option("str", "15m", form=_moment),
    **pair("errors", "0", "50"),
    **pair("tracebacks", "0", "20"),
    **pair("rate", "3000", "30000"),
    "patterns": listed([]),
    "ignore": listed([]),
    "deployments": option("bool", False),
    "past": option("bool", False),
    "worst_lines": option("int", 5),
    "max_lines": option("int", 1000000),
}
