# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options of all checks, each defined once.

The modules take their argument specification from here, `verify` takes each check's options as a dictionary
of the check's name, and the documentation fragments are written from here (a test compares them).
"""

from __future__ import annotations

from typing import Any

Option = dict[str, Any]
Options = dict[str, Option]


def _option(kind: str, description: str, default: Any = None, **more: Any) -> Option:
    option: Option = {"type": kind, "description": description, **more}
    if default is not None:
        option["default"] = default
    return option


def _list(description: str, default: list[Any] | None = None, elements: str = "str", **more: Any) -> Option:
    return _option("list", description, default, elements=elements, **more)


def _pair(prefix: str, what: str, warning: str = "", critical: str = "") -> Options:
    note = "A range in the syntax of the monitoring plugins; empty for none."
    return {
        f"{prefix}_warning": _option("str", f"Warn when {what} is outside of this range. {note}", warning),
        f"{prefix}_critical": _option("str", f"Fail when {what} is outside of this range. {note}", critical),
    }


CONNECTION: Options = {
    "url": _option(
        "str", "Address of the backend's API as seen from where the check runs.", "http://127.0.0.1:8000"
    ),
    "token": _option(
        "str",
        "The bearer token (C(LOCAL_AUTH_TOKEN)). Without it the one in O(env_file) is used, if there is one.",
        "",
        no_log=True,
    ),
    "public_url": _option(
        "str", "Address of the user interface as its users open it. Its origin must be allowed by CORS.", ""
    ),
    "user": _option(
        "str",
        "The application's user, whose units, processes and journal are looked at. "
        "Without it, whoever runs the check.",
        "",
    ),
    "root": _option(
        "str", "The application's root directory, with C(current) and C(releases).", "~/mission-control"
    ),
    "env_file": _option(
        "str",
        "The backend's environment file, from which what is not given is read. "
        "Without it C(current/backend/.env), or else C(backend/.env), below O(root).",
        "",
    ),
    "timeout": _option("float", "Seconds that one request may take in all.", 10.0),
    "validate_certs": _option("bool", "Whether TLS certificates are checked.", True),
    "ca_path": _option("path", "File with the certificates of the authorities to trust.", ""),
    "dialect": _option(
        "str",
        "Which gateway paths the backend serves, C(/api/v1/gateways) or C(/api/v1/gateway). "
        "V(auto) asks C(/openapi.json).",
        "auto",
        choices=["auto", "gateways", "gateway"],
    ),
    "range_parameter": _option(
        "str",
        "What the metrics' range parameter is called. V(auto) asks C(/openapi.json).",
        "auto",
        choices=["auto", "range_key", "range"],
    ),
    "secrets": _list("More values that must not appear in any evidence.", [], no_log=True),
}

WAITING: Options = {
    "deadline": _option(
        "float",
        "Seconds during which what failed is tried again. V(0) is one attempt.",
        0.0,
    ),
    "interval": _option("float", "Seconds before the second attempt.", 1.0),
    "backoff": _option("float", "Factor by which the interval grows with each failed attempt.", 1.5),
    "interval_max": _option("float", "Longest interval in seconds.", 15.0),
    "jitter": _option("float", "Share by which each interval is shaken at random.", 0.2),
    "successes": _option("int", "How many attempts in a row must succeed.", 1),
    "fail_on": _option(
        "str",
        "From which state on the task fails. V(never) only reports.",
        "fail",
        choices=["fail", "warn", "never"],
    ),
}

COMMON: Options = {**CONNECTION, **WAITING}

UNITS = ["mission-control-backend", "mission-control-frontend", "mission-control-worker"]
METRIC_RANGES = ["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"]

# name: (title, group of its evidence, options)
CHECKS: dict[str, tuple[str, Options]] = {
    "health": (
        "the backend answers its health endpoints, in time",
        {
            "paths": _list("The health endpoints.", ["/health", "/healthz", "/readyz"]),
            **_pair("latency", "the time to the whole answer, in milliseconds,", "1000", "5000"),
        },
    ),
    "cors": (
        "browsers of the right origins are let in, others are not",
        {
            "origins": _list(
                "Origins that must be allowed. The origin of O(public_url) is always one of them.", []
            ),
            "foreign_origins": _list("Origins that must be refused.", ["https://foreign-origin.invalid"]),
            "path": _option("str", "Path that is asked for.", "/api/v1/organizations/me/member"),
            "method": _option("str", "Method that the preflight announces.", "GET"),
            "request_headers": _list("Headers that the preflight announces.", ["authorization"]),
        },
    ),
    "membership": (
        "the token is accepted, its user has the expected role, and other tokens are refused",
        {
            "role": _option(
                "str",
                "The role that the user of the token must have.",
                "owner",
                choices=["owner", "admin", "member", "any"],
            ),
        },
    ),
    "frontend": (
        "the user interface is served and reaches the API as its users' browsers would",
        {
            "frontend_url": _option(
                "str",
                "Where the page is fetched from. Without it O(public_url), or else port 3000 of this host.",
                "",
            ),
            "api_url": _option(
                "str",
                "The API address that should be built into the page. Empty: whichever is, it must work.",
                "",
            ),
            "pages": _list("Pages that must be served.", ["/"]),
            "probe": _option("str", "Path of the API that the page's address is tried with.", "/healthz"),
            **_pair("latency", "the time to the whole page, in milliseconds,", "3000", "10000"),
            **_pair(
                "certificate_days", "the number of days that the certificate is still valid", "21:", "7:"
            ),
        },
    ),
    "service": (
        "each user unit is up, stays up, and runs the release that is deployed",
        {
            "units": _list("The user units.", UNITS),
            "restart_window": _option(
                "str",
                "How long ago the last start may lie for automatic restarts to count.",
                "15m",
            ),
            **_pair("restarts", "the number of automatic restarts within O(restart_window)", "0", "3"),
            **_pair("memory", "the memory of the unit's processes, in bytes,"),
            **_pair("cpu", "the share of one core that the unit's processes use without a pause", "", "0.8"),
            "enabled": _option("bool", "Whether the units must be enabled.", True),
            "release": _option(
                "bool", "Whether the processes must run the release that C(current) points to.", True
            ),
        },
    ),
}


def specification(options: Options) -> dict[str, Any]:
    """An argument specification for AnsibleModule."""
    return {
        name: {key: value for key, value in option.items() if key != "description"}
        for name, option in options.items()
    }


def defaults(options: Options) -> dict[str, Any]:
    """The options' defaults, for the runner that has no Ansible."""
    return {name: option.get("default") for name, option in options.items()}


def check_specification(name: str) -> dict[str, Any]:
    """The argument specification of one check's module."""
    return specification({**COMMON, **CHECKS[name][1]})


VERIFY: Options = {
    "checks": _list(
        "The checks to run. Others are not run at all.",
        ["all"],
        choices=["all", *CHECKS],
    ),
    "skip": _list("Checks not to run.", [], choices=[*CHECKS]),
    "suite_deadline": _option(
        "float",
        "Seconds after which the suite ends in any case. What has not answered by then is an error.",
        120.0,
    ),
    "waivers": _list(
        "Checks, or parts of them, that are accepted as they are for a while. A waived check is not run.",
        [],
        elements="dict",
        options={
            "check": _option(
                "str",
                "Name of the check (V(log)) or the dotted path of a part (V(agents.stale)).",
                required=True,
            ),
            "reason": _option("str", "Why.", required=True),
            "expires": _option(
                "str",
                "Last day (YYYY-MM-DD) of the waiver. After it, the waiver is a failure.",
                required=True,
            ),
        },
    ),
    "baseline": _option("raw", "An earlier result (its RV(report)) that this one is compared with."),
    "view": _option(
        "str", "From where the checks look: a word for the reports.", "host", choices=["host", "controller"]
    ),
}


def verify_options() -> Options:
    """All options of `verify`: the common ones, its own, and each check's as a dictionary."""
    return {
        **COMMON,
        **VERIFY,
        **{
            name: _option("dict", f"Options of the check that {title}.", {}, options=options)
            for name, (title, options) in CHECKS.items()
        },
    }


def verify_specification() -> dict[str, Any]:
    """The argument specification of `verify`."""
    found = {}
    for name, option in verify_options().items():
        option = {key: value for key, value in option.items() if key != "description"}
        if "options" in option:
            option["options"] = specification(option["options"])
        if name in CHECKS:
            # Without this, the defaults of the options inside would not apply to a check nobody configured.
            option["apply_defaults"] = True
            option.pop("default", None)
        found[name] = option
    return found
