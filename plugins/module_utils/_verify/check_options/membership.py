# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check membership."""

from __future__ import annotations

from ..option_model import Options, option

TITLE = "the token is accepted, its user has the expected role, and other tokens are refused"
OPTIONS: Options = {
    "role": option(
        "str",
        "The role that the user of the token must have.",
        "owner",
        choices=["owner", "admin", "member", "any"],
    ),
}
