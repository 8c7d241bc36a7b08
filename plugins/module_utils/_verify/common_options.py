# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options that all checks have: where the product is, and how long to try."""

from __future__ import annotations

from .option_model import Options, listed, option

CONNECTION: Options = {
    "url": option(
        "str", "Address of the backend's API as seen from where the check runs.", "http://127.0.0.1:8000"
    ),
    "token": option(
        "str",
        "The bearer token (C(LOCAL_AUTH_TOKEN)). Without it the one in O(env_file) is used, if there is one.",
        "",
        no_log=True,
    ),
    "public_url": option(
        "str", "Address of the user interface as its users open it. Its origin must be allowed by CORS.", ""
    ),
    "user": option(
        "str",
        "The application's user, whose units, processes and journal are looked at. "
        "Without it, whoever runs the check.",
        "",
    ),
    "root": option(
        "str", "The application's root directory, with C(current) and C(releases).", "~/mission-control"
    ),
    "env_file": option(
        "str",
        "The backend's environment file, from which comes what is not given. "
        "Without it C(current/backend/.env), or else C(backend/.env), below O(root).",
        "",
    ),
    "timeout": option("float", "Seconds that one request may take in all.", 10.0),
    "validate_certs": option("bool", "Whether TLS certificates are checked.", True),
    "ca_path": option("path", "File with the certificates of the authorities to trust.", ""),
    "dialect": option(
        "str",
        "Which gateway paths the backend serves, C(/api/v1/gateways) or C(/api/v1/gateway). "
        "V(auto) asks C(/openapi.json).",
        "auto",
        choices=["auto", "gateways", "gateway"],
    ),
    "range_parameter": option(
        "str",
        "What the metrics' range parameter is called. V(auto) asks C(/openapi.json).",
        "auto",
        choices=["auto", "range_key", "range"],
    ),
    "secrets": listed("More values that must not appear in any evidence.", [], no_log=True),
}

WAITING: Options = {
    "deadline": option(
        "float",
        "Seconds during which what failed is tried again. V(0) is one attempt.",
        0.0,
    ),
    "interval": option("float", "Seconds before the second attempt.", 1.0),
    "backoff": option("float", "Factor by which the interval grows with each failed attempt.", 1.5),
    "interval_max": option("float", "Longest interval in seconds.", 15.0),
    "jitter": option("float", "Share by which each interval is shaken at random.", 0.2),
    "successes": option("int", "How many attempts in a row must succeed.", 1),
    "fail_on": option(
        "str",
        "From which state on the task fails. V(never) only reports.",
        "fail",
        choices=["fail", "warn", "never"],
    ),
}

COMMON: Options = {**CONNECTION, **WAITING}
