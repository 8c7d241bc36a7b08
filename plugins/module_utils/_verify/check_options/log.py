# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check log."""

from __future__ import annotations

from ..option_model import UNITS, Options, listed, option, pair

TITLE = "the units' journals hold no errors, tracebacks or floods"
OPTIONS: Options = {
    "units": listed("The user units.", UNITS),
    "since": option(
        "str",
        "From when on. A duration (V(15m), V(2h)), a time (V(2026-11-24T13:00:00)), or V(start), "
        "each "
        "unit's last start.",
        "15m",
    ),
    **pair("errors", "the number of lines of level error or worse", "0", "50"),
    **pair("tracebacks", "the number of tracebacks", "0", "20"),
    **pair("rate", "the number of lines in a minute", "3000", "30000"),
    "patterns": listed("Regular expressions that no line may match.", []),
    "ignore": listed("Regular expressions of lines to leave out.", []),
    "worst_lines": option("int", "How many of the most frequent errors are shown.", 5),
    "max_lines": option("int", "How many lines are read at most.", 1000000),
}
