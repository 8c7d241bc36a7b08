# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check agents."""

from __future__ import annotations

from ..option_model import Options, listed, pair

TITLE = "the agents are counted by status, and none is silent, stuck or missing"
OPTIONS: Options = {
    "expected": listed("Names of agents that must be there.", []),
    **pair("count", "the number of agents"),
    **pair("offline", "the number of agents that are offline"),
    **pair("stale", "the time since an agent was last seen, in seconds,", "3600"),
    **pair(
        "provisioning",
        "the time that an agent has been in the making or in change, in seconds,",
        "900",
    ),
}
