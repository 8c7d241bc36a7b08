# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check sessions."""

from __future__ import annotations

from ..option_model import Options, listed, option, pair

TITLE = "the gateways' sessions have keys, agents and recent activity"
OPTIONS: Options = {
    "board_ids": listed("Boards that are asked for. Empty: every board that is bound to a gateway.", []),
    "expected": listed("Keys or labels of sessions that must be there.", []),
    **pair("count", "the number of sessions of a gateway"),
    **pair("idle", "the time since the last activity, in seconds, of any but the main session"),
    "agents_without_session": option(
        "str",
        "What an online agent without a session is.",
        "warn",
        choices=["ignore", "warn", "fail"],
    ),
    "sessions_without_agent": option(
        "str", "What a session without an agent is.", "ignore", choices=["ignore", "warn", "fail"]
    ),
}
