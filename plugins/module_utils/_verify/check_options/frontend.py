# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of the check frontend."""

from __future__ import annotations

from ..option_model import Options, listed, option, pair

TITLE = "the user interface is served and reaches the API as its users' browsers would"
OPTIONS: Options = {
    "frontend_url": option(
        "str",
        "Where the page is fetched from. Without it O(public_url), or else port 3000 of this host.",
        "",
    ),
    "api_url": option(
        "str",
        "The API address that should be built into the page. Empty: whichever is, it must work.",
        "",
    ),
    "pages": listed("Pages that must be served.", ["/"]),
    "probe": option("str", "Path of the API that the page's address is tried with.", "/healthz"),
    **pair("latency", "the time to the whole page, in milliseconds,", "3000", "10000"),
    **pair("certificate_days", "the number of days that the certificate is still valid", "21:", "7:"),
}
