# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check service."""

from __future__ import annotations

from ..option_model import UNITS, Options, listed, option, pair

TITLE = "each user unit is up, stays up, and runs the release that is deployed"
OPTIONS: Options = {
    "units": listed("The user units.", UNITS),
    "restart_window": option(
        "str",
        "How long ago the last start may lie for automatic restarts to count.",
        "15m",
    ),
    **pair("restarts", "the number of automatic restarts within O(restart_window)", "0", "3"),
    **pair("memory", "the memory of the unit's processes, in bytes,"),
    **pair("cpu", "the share of one core that the unit's processes use without a pause", "", "0.8"),
    "enabled": option("bool", "Whether the units must be enabled.", True),
    "release": option("bool", "Whether the processes must run the release that C(current) points to.", True),
}
