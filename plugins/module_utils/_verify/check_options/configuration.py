# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check configuration."""

from __future__ import annotations

from ..option_model import UNITS, Options, listed, option

TITLE = "what runs is what is deployed, and the settings fit together"
OPTIONS: Options = {
    "environment_units": listed(
        "Units whose environment must be that of O(env_file).",
        [unit for unit in UNITS if not unit.endswith("frontend")],
    ),
    "expected_api_url": option("str", "The API's address as deployed. Empty: not compared.", ""),
    "frontend_url": option(
        "str",
        "Where the page is fetched from, to find the address built in. Empty: not looked at.",
        "",
    ),
    "gateway_version": option("str", "The gateway's version. Empty: not compared.", ""),
}
