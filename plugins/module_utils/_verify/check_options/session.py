# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check session."""

from __future__ import annotations

from ..option_model import Options, listed, option, pair

TITLE = "single sessions exist, with a history that is in order and did not end in an error"
OPTIONS: Options = {
    "board_ids": listed("Boards that are asked for. Empty: every board that is bound to a gateway.", []),
    "session_ids": listed("Keys of sessions. Empty: the newest session of each gateway.", []),
    "messages_minimum": option("int", "How many messages a history must have.", 0),
    **pair("message_age", "the age of the last message, in seconds,"),
}
