# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check gateway."""

from __future__ import annotations

from ..option_model import Options, listed, option, pair

TITLE = "the backend is connected with its gateways, and why it is not"
OPTIONS: Options = {
    "board_ids": listed("Boards whose gateways are asked for. Empty: every board that is bound to one.", []),
    "gateway_url": option("str", "A gateway to try directly, instead of through boards.", ""),
    "gateway_token": option("str", "Token for O(gateway_url).", "", no_log=True),
    "disable_device_pairing": option("bool", "For O(gateway_url).", False),
    "allow_insecure_tls": option("bool", "For O(gateway_url).", False),
    "required": option("bool", "Whether it is a failure when no board is bound to a gateway.", False),
    **pair("sessions", "the number of sessions"),
}
