# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check cors."""

from __future__ import annotations

from ..option_model import Options, listed, option

TITLE = "browsers of the right origins are let in, others are not"
OPTIONS: Options = {
    "origins": listed("Origins that must be allowed. The origin of O(public_url) is always one of them.", []),
    "foreign_origins": listed("Origins that must be refused.", ["https://foreign-origin.invalid"]),
    "path": option("str", "Path that is asked for.", "/api/v1/organizations/me/member"),
    "method": option("str", "Method that the preflight announces.", "GET"),
    "request_headers": listed("Headers that the preflight announces.", ["authorization"]),
}
