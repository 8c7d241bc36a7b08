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
        "The backend's environment file, from which comes what is not given. "
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
            "samples": _option(
                "int",
                "How many times each endpoint is asked, one after the other. Every answer has to be good.",
                1,
            ),
            "percentile": _option(
                "float",
                "Of several samples, the percentile of their times that the limits of latency are for: "
                "100 is the slowest.",
                95.0,
            ),
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
    "agents": (
        "the agents are counted by status, and none is silent, stuck or missing",
        {
            "expected": _list("Names of agents that must be there.", []),
            **_pair("count", "the number of agents"),
            **_pair("offline", "the number of agents that are offline"),
            **_pair("stale", "the time since an agent was last seen, in seconds,", "3600"),
            **_pair(
                "provisioning",
                "the time that an agent has been in the making or in change, in seconds,",
                "900",
            ),
        },
    ),
    "gateway": (
        "the backend is connected with its gateways, and why it is not",
        {
            "board_ids": _list(
                "Boards whose gateways are asked for. Empty: every board that is bound to one.", []
            ),
            "gateway_url": _option("str", "A gateway to try directly, instead of through boards.", ""),
            "gateway_token": _option("str", "Token for O(gateway_url).", "", no_log=True),
            "disable_device_pairing": _option("bool", "For O(gateway_url).", False),
            "allow_insecure_tls": _option("bool", "For O(gateway_url).", False),
            "required": _option(
                "bool", "Whether it is a failure when no board is bound to a gateway.", False
            ),
            **_pair("sessions", "the number of sessions"),
        },
    ),
    "sessions": (
        "the gateways' sessions have keys, agents and recent activity",
        {
            "board_ids": _list(
                "Boards that are asked for. Empty: every board that is bound to a gateway.", []
            ),
            "expected": _list("Keys or labels of sessions that must be there.", []),
            **_pair("count", "the number of sessions of a gateway"),
            **_pair("idle", "the time since the last activity, in seconds, of any but the main session"),
            "agents_without_session": _option(
                "str",
                "What an online agent without a session is.",
                "warn",
                choices=["ignore", "warn", "fail"],
            ),
            "sessions_without_agent": _option(
                "str", "What a session without an agent is.", "ignore", choices=["ignore", "warn", "fail"]
            ),
        },
    ),
    "session": (
        "single sessions exist, with a history that is in order and did not end in an error",
        {
            "board_ids": _list(
                "Boards that are asked for. Empty: every board that is bound to a gateway.", []
            ),
            "session_ids": _list("Keys of sessions. Empty: the newest session of each gateway.", []),
            "messages_minimum": _option("int", "How many messages a history must have.", 0),
            **_pair("message_age", "the age of the last message, in seconds,"),
        },
    ),
    "metrics": (
        "the metrics answer for the asked ranges, in shape, and within thresholds",
        {
            "ranges": _list("Ranges to ask for.", METRIC_RANGES, choices=METRIC_RANGES),
            "board_ids": _list("Boards to filter by, each with all ranges.", []),
            "group_ids": _list("Board groups to filter by, each with all ranges.", []),
            "threshold_ranges": _list("Ranges that the thresholds hold for.", ["24h"], choices=METRIC_RANGES),
            "kpi_warning": _option("dict", "Ranges of KPIs by name. Outside of them: warn.", {}),
            "kpi_critical": _option("dict", "Ranges of KPIs by name. Outside of them: fail.", {}),
            "change_warning": _option(
                "dict",
                "Ranges by series (V(throughput), V(cycle_time), V(error_rate)) for the change of its mean "
                "against the comparison series, in percent. Outside of them: warn.",
                {},
            ),
            "change_critical": _option("dict", "The same. Outside of them: fail.", {}),
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
    "log": (
        "the units' journals hold no errors, tracebacks or floods",
        {
            "units": _list("The user units.", UNITS),
            "since": _option(
                "str",
                "From when on. A duration (V(15m), V(2h)), a time (V(2026-11-24T13:00:00)), or V(start), "
                "each "
                "unit's last start.",
                "15m",
            ),
            **_pair("errors", "the number of lines of level error or worse", "0", "50"),
            **_pair("tracebacks", "the number of tracebacks", "0", "20"),
            **_pair("rate", "the number of lines in a minute", "3000", "30000"),
            "patterns": _list("Regular expressions that no line may match.", []),
            "ignore": _list("Regular expressions of lines to leave out.", []),
            "worst_lines": _option("int", "How many of the most frequent errors are shown.", 5),
            "max_lines": _option("int", "How many lines are read at most.", 1000000),
        },
    ),
    "database": (
        "the application can log in, its schema is the deployed one, and PostgreSQL is well",
        {
            "database_url": _option(
                "str", "Address of the database. Without it C(DATABASE_URL) of O(env_file).", "", no_log=True
            ),
            "statement_timeout": _option("float", "Seconds that one statement may take.", 5.0),
            **_pair("transaction", "the age of the oldest transaction, in seconds,", "300", "3600"),
            **_pair("locks", "the number of sessions that wait for a lock", "5", "50"),
            **_pair("connections", "the share of connections in use, in percent,", "80", "95"),
            **_pair("size", "the size of the database, in bytes,"),
            "data_directory": _option(
                "str", "Where a local PostgreSQL keeps its data.", "/var/lib/postgresql"
            ),
            **_pair("disk", "the free space there, in percent,", "10:", "3:"),
            "backup_directory": _option("str", "Directory with backups. Empty: not looked at.", ""),
            **_pair("backup_age", "the age of the last backup, in seconds,", "129600", "259200"),
        },
    ),
    "queue": (
        "Redis answers, a worker waits, and no work lies there for too long",
        {
            "redis_url": _option(
                "str", "Address of Redis. Without it C(RQ_REDIS_URL) of O(env_file).", "", no_log=True
            ),
            "queue_name": _option("str", "Name of the queue. Without it C(RQ_QUEUE_NAME).", ""),
            "workers_minimum": _option("int", "How many workers there must be.", 1),
            "hung_after": _option(
                "int", "Seconds after which a worker that took work and is silent counts as hung.", 300
            ),
            **_pair("depth", "the number of waiting entries", "100", "1000"),
            **_pair("age", "the age of the oldest entry, in seconds,", "60", "600"),
            **_pair("overdue", "how long delayed work is overdue, in seconds,", "60", "600"),
        },
    ),
    "host": (
        "clock, disk, memory, ports and sandboxing of the host are right",
        {
            "paths": _list("Paths whose file systems must have space.", ["/", "~/mission-control"]),
            **_pair("disk", "the free space (or inodes), in percent,", "10:", "3:"),
            **_pair("memory", "the available memory, in percent,", "5:", "2:"),
            "ports": _list(
                "Ports that must be listened on.",
                [],
                elements="dict",
                options={
                    "port": _option("int", "The port.", required=True),
                    "bind": _option(
                        "str",
                        "V(any), V(loopback), an address (one for all means V(any)), or empty for whichever.",
                        "",
                    ),
                    "unit": _option("str", "The application user's unit that must hold it.", ""),
                },
            ),
            "strangers": _option(
                "bool", "Whether other ports of O(user) that others can reach are a warning.", True
            ),
            "allowed_ports": _list("Ports that are none of these.", [], elements="int"),
            "sandbox_units": _list("User units whose sandboxing must be in force.", UNITS),
        },
    ),
    "configuration": (
        "what runs is what is deployed, and the settings fit together",
        {
            "environment_units": _list(
                "Units whose environment must be that of O(env_file).",
                ["mission-control-backend", "mission-control-worker"],
            ),
            "expected_api_url": _option("str", "The API's address as deployed. Empty: not compared.", ""),
            "frontend_url": _option(
                "str",
                "Where the page is fetched from, to find the address built in. Empty: not looked at.",
                "",
            ),
            "gateway_version": _option("str", "The gateway's version. Empty: not compared.", ""),
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
