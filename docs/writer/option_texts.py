"""What the options of the checks mean, for readers: hosts get the options without it.

Each option of plugins/module_utils/_verify has its text here; those of a list's elements are option.element.
"""

from __future__ import annotations

from ansible_collections.openclaw.mission_control.plugins.module_utils._application.components import PORTS

Texts = dict[str, str]


def limits(prefix: str, what: str) -> Texts:
    """What the two limits of a measure mean."""
    note = "A range in the syntax of the monitoring plugins; empty for none."
    return {
        f"{prefix}_warning": f"Warn when {what} is outside of this range. {note}",
        f"{prefix}_critical": f"Fail when {what} is outside of this range. {note}",
    }


# What each check sees to: "... checks that", and then this.
TITLES: Texts = {
    "health": "the backend answers its health endpoints, in time",
    "cors": "browsers of the right origins are let in, others are not",
    "membership": "the token is accepted, its user has the expected role, and other tokens are refused",
    "agents": "the agents are counted by status, and none is silent, stuck or missing",
    "gateway": "the backend is connected with its gateways, and why it is not",
    "sessions": "the gateways' sessions have keys, agents and recent activity",
    "session": "single sessions exist, with a history that is in order and did not end in an error",
    "metrics": "the metrics answer for the asked ranges, in shape, and within thresholds",
    "frontend": "the user interface is served and reaches the API as its users' browsers would",
    "service": "each user unit is up, stays up, and runs the release that is deployed",
    "log": "the units' journals hold no errors, tracebacks or floods",
    "database": "the application can log in, its schema is the deployed one, and PostgreSQL is well",
    "queue": "Redis answers, a worker waits, and no work lies there for too long",
    "host": "clock, disk, memory, ports and sandboxing of the host are right",
    "configuration": "what runs is what is deployed, and the settings fit together",
    "front_door": "users come in by TLS, and a proxy in front does nothing to what the product relies on",
    "backup": "the last backup is recent, has been proved by a drill, and does not lie on the host alone",
}

# Those that all checks have.
COMMON: Texts = {
    "url": "Address of the backend's API as seen from where the check runs.",
    "token": "The bearer token (C(LOCAL_AUTH_TOKEN)). Without it the one in O(env_file) is used, if there "
    "is one.",
    "public_url": "Address of the user interface as its users open it. Its origin must be allowed by CORS.",
    "user": "The application's user, whose units, processes and journal are looked at. "
    "Without it, whoever runs the check.",
    "trusted_users": "Users besides root and O(user) to whom secrets may be sent where they listen on this "
    "host, such as that of a proxy of yours without TLS. Not asked where O(user) is not given.",
    "root": "The application's root directory, with C(current) and C(releases).",
    "env_file": "The backend's environment file, from which comes what is not given. "
    "Without it C(current/backend/.env), or else C(backend/.env), below O(root).",
    "timeout": "Seconds that one request may take in all.",
    "validate_certs": "Whether TLS certificates are checked.",
    "ca_path": "File with the certificates of the authorities to trust.",
    "dialect": "Which gateway paths the backend serves, C(/api/v1/gateways) or C(/api/v1/gateway). "
    "V(auto) asks C(/openapi.json).",
    "range_parameter": "What the metrics' range parameter is called. V(auto) asks C(/openapi.json).",
    "secrets": "More values that must not appear in any evidence.",
    "deadline": "Seconds during which what failed is tried again. V(0) is one attempt.",
    "interval": "Seconds before the second attempt.",
    "backoff": "Factor by which the interval grows with each failed attempt.",
    "interval_max": "Longest interval in seconds.",
    "jitter": "Share by which each interval is shaken at random.",
    "successes": "How many attempts in a row must succeed.",
    "fail_on": "From which state on the task fails. V(never) only reports.",
}

# Those of verify, besides the checks.
VERIFY: Texts = {
    "checks": "The checks to run. Others are not run at all.",
    "skip": "Checks not to run.",
    "suite_deadline": "Seconds after which the suite ends in any case. What has not answered by then is "
    "an error.",
    "waivers": "Checks, or parts of them, that are accepted as they are for a while. A waived check is "
    "not run.",
    "waivers.check": "Name of the check (V(log)) or the dotted path of a part (V(agents.stale)).",
    "waivers.reason": "Why.",
    "waivers.expires": "Last day (YYYY-MM-DD) of the waiver. After it, the waiver is a failure.",
    "baseline": "An earlier result of this module, which this one is compared with.",
    "view": "From where the checks look: a word for the reports.",
}

CHECKS: dict[str, Texts] = {
    "health": {
        "paths": "The health endpoints.",
        **limits("latency", "the time to the whole answer, in milliseconds,"),
        "samples": "How many times each endpoint is asked, one after the other. Every answer has to be good.",
        "percentile": "Of several samples, the percentile of their times that the limits of latency are for: "
        "100 is the slowest.",
    },
    "cors": {
        "origins": "Origins that must be allowed. The origin of O(public_url) is always one of them.",
        "foreign_origins": "Origins that must be refused.",
        "path": "Path that is asked for.",
        "method": "Method that the preflight announces.",
        "request_headers": "Headers that the preflight announces.",
    },
    "membership": {
        "role": "The role that the user of the token must have.",
    },
    "agents": {
        "expected": "Names of agents that must be there.",
        **limits("count", "the number of agents"),
        **limits("offline", "the number of agents that are offline"),
        **limits("stale", "the time since an agent was last seen, in seconds,"),
        **limits("provisioning", "the time that an agent has been in the making or in change, in seconds,"),
    },
    "gateway": {
        "board_ids": "Boards whose gateways are asked for. Empty: every board that is bound to one.",
        "gateway_url": "A gateway to try directly, instead of through boards.",
        "gateway_token": "Token for O(gateway_url). The product takes it in the query string, so it "
        "appears in the access log of the backend, that is in its journal; unless a board is bound to a "
        "gateway that is registered with this address and token: then that board is asked, without it.",
        "disable_device_pairing": "For O(gateway_url).",
        "allow_insecure_tls": "For O(gateway_url).",
        "required": "Whether it is a failure when no board is bound to a gateway.",
        **limits("sessions", "the number of sessions"),
    },
    "sessions": {
        "board_ids": "Boards that are asked for. Empty: every board that is bound to a gateway.",
        "expected": "Keys or labels of sessions that must be there.",
        **limits("count", "the number of sessions of a gateway"),
        **limits("idle", "the time since the last activity, in seconds, of any but the main session"),
        "agents_without_session": "What an online agent without a session is.",
        "sessions_without_agent": "What a session without an agent is.",
    },
    "session": {
        "board_ids": "Boards that are asked for. Empty: every board that is bound to a gateway.",
        "session_ids": "Keys of sessions. Empty: the newest session of each gateway.",
        "messages_minimum": "How many messages a history must have.",
        **limits("message_age", "the age of the last message, in seconds,"),
    },
    "metrics": {
        "ranges": "Ranges to ask for.",
        "board_ids": "Boards to filter by, each with all ranges.",
        "group_ids": "Board groups to filter by, each with all ranges.",
        "threshold_ranges": "Ranges that the thresholds hold for.",
        "kpi_warning": "Ranges of KPIs by name. Outside of them: warn.",
        "kpi_critical": "Ranges of KPIs by name. Outside of them: fail.",
        "change_warning": "Ranges by series (V(throughput), V(cycle_time), V(error_rate)) for the change "
        "of its mean against the comparison series, in percent. Outside of them: warn.",
        "change_critical": "The same. Outside of them: fail.",
    },
    "frontend": {
        "frontend_url": "Where the page is fetched from. Without it O(public_url), or else "
        f"port {PORTS['frontend']} of this host.",
        "api_url": "The API address that should be built into the page. Empty: whichever is, it must work.",
        "pages": "Pages that must be served.",
        "probe": "Path of the API that the page's address is tried with. It is asked without a token, so "
        "401 and 403 of the backend's are an answer, too.",
        "backend_url": "Where the backend is asked when the API's address is out of reach from here, as "
        "before DNS is switched or behind a NAT. That it answers there is a warning then. Empty: out of "
        "reach is a failure.",
        **limits("latency", "the time to the whole page, in milliseconds,"),
        **limits("certificate_days", "the number of days that the certificate is still valid"),
    },
    "service": {
        "units": "The user units.",
        "gateway_unit": "Whether a gateway was deployed on this host, whose unit C(openclaw-gateway) must "
        "run.",
        "gateway_user": "The user of that unit. Empty: the application's user, or C(openclaw), who has "
        "such a unit.",
        "restart_window": "How long ago the last start may lie for automatic restarts to count.",
        **limits("restarts", "the number of automatic restarts within O(restart_window)"),
        **limits("memory", "the memory of the unit's processes, in bytes,"),
        **limits("cpu", "the share of one core that the unit's processes use without a pause"),
        "enabled": "Whether the units must be enabled.",
        "release": "Whether the processes must run the release that C(current) points to.",
    },
    "log": {
        "units": "The user units.",
        "since": "From when on. A duration (V(15m), V(2h)), a time (V(2026-11-24T13:00:00)), or V(start), "
        "each "
        "unit's last start.",
        **limits("errors", "the number of lines of level error or worse"),
        **limits("tracebacks", "the number of tracebacks"),
        **limits("rate", "the number of lines in a minute"),
        "patterns": "Regular expressions that no line may match.",
        "ignore": "Regular expressions of lines to leave out.",
        "deployments": "Whether errors and tracebacks count that were logged while a deployment went on "
        "which then succeeded, or was taken back. They are its own: services are switched, a gateway is "
        "made known. When it went on is in the history (playbook history). Patterns and the rate count "
        "always.",
        "past": "Whether errors and tracebacks count that were logged before the unit, or the database, "
        "queue or gateway of this host that it needs, was started the last time. They ended with their "
        "cause, and are told. A restart that systemd made by itself ends nothing. The rate is that "
        "since then, and patterns count always.",
        "worst_lines": "How many of the most frequent errors are shown.",
        "max_lines": "How many lines are read at most.",
    },
    "database": {
        "database_url": "Address of the database. Without it C(DATABASE_URL) of O(env_file).",
        "statement_timeout": "Seconds that one statement may take.",
        **limits("transaction", "the age of the oldest transaction, in seconds,"),
        **limits("locks", "the number of sessions that wait for a lock"),
        **limits("connections", "the share of connections in use, in percent,"),
        **limits("size", "the size of the database, in bytes,"),
        **limits("slots", "what is kept of PostgreSQL's log for a replica that does not fetch it, in bytes,"),
        "data_directory": "Where a local PostgreSQL keeps its data.",
        **limits("disk", "the free space there, in percent,"),
        "backup_directory": "Directory with backups. Empty: not looked at.",
        **limits("backup_age", "the age of the last backup, in seconds,"),
        **limits("certificate_days", "the days that the server's certificate is still valid"),
    },
    "queue": {
        "redis_url": "Address of Redis. Without it C(RQ_REDIS_URL) of O(env_file).",
        "queue_name": "Name of the queue. Without it C(RQ_QUEUE_NAME).",
        "redis_users": "The users that the deployment's own Redis may have. Empty: not looked at.",
        "workers_minimum": "How many workers there must be.",
        "hung_after": "Seconds after which a worker that took work and is silent counts as hung.",
        **limits("depth", "the number of waiting entries"),
        **limits("age", "the age of the oldest entry, in seconds,"),
        **limits("overdue", "how long delayed work is overdue, in seconds,"),
        **limits("certificate_days", "the days that the server's certificate is still valid"),
    },
    "host": {
        "paths": "Paths whose file systems must have space.",
        **limits("disk", "the free space (or inodes), in percent,"),
        **limits("memory", "the available memory, in percent,"),
        "ports": "Ports that must be listened on.",
        "ports.port": "The port.",
        "ports.bind": "V(any), V(loopback), an address (one for all means V(any)), or empty for whichever.",
        "ports.unit": "The application user's unit that must hold it.",
        "ports.users": "The users who may hold it, where it is no unit's. Empty: any one.",
        "guarded": "Ports that are for a front door on another host alone, by the table of nftables that the "
        "role C(firewall) loads.",
        "guarded.port": "The port.",
        "guarded.sources": "Addresses and networks that reach it from other hosts.",
        "strangers": "Whether other ports of O(user) that others can reach are a warning.",
        "allowed_ports": "Ports that are none of these.",
        "sandbox_units": "User units whose sandboxing must be in force.",
        "gateway_sandbox": "Whether the sandboxing of the gateway's unit must be in force, too, where a "
        "deployment has put one.",
        "certificate_renewal": "Whether certbot has to renew the front door's certificate on this host. The "
        "roles say so where it is an ACME authority's.",
    },
    "configuration": {
        "environment_units": "Units whose environment must be that of O(env_file).",
        "expected_api_url": "The API's address as deployed. Empty: not compared.",
        "frontend_url": "Where the page is fetched from, to find the address built in. Empty: not looked at.",
        "gateway_version": "The gateway's version. Empty: not compared.",
    },
    "front_door": {
        "http_url": "Address without TLS, from which users have to be sent on. Empty means port 80 of "
        "O(public_url).",
        "hsts": "Whether browsers are to be told to insist on https (HSTS).",
        "direct": "Addresses of backend and frontend themselves, which must not answer from here.",
        "closed": "What the front door keeps to the deployment's own hosts: it must not be served to here.",
        "stream_seconds": "Seconds within which the first event of a stream has to come.",
        "stream_hold": "Seconds that a stream is listened to after its first event; it must not be cut "
        "meanwhile. V(0) leaves that out.",
        "forged": "Whether to see that the proxy overwrites the address that a client claims, "
        "X-Forwarded-For and Forwarded. Takes 22 failed logins of an agent, each as somebody else: for a "
        "minute the product then refuses real ones from the address of this check.",
        "websocket_path": "Path at which a WebSocket has to be opened. Empty leaves that out.",
        "gateway_url": "Address of the gateway's control page at the door, where the page, its WebSocket and "
        "its origin are looked at. Empty leaves that out.",
        **limits("certificate_days", "the number of days for which the certificate is still valid"),
    },
    "backup": {
        **limits("age", "the time since the last backup that succeeded, in seconds,"),
        **limits("check_age", "the time since the repository was read from beginning to end, in seconds,"),
        **limits("drill_age", "the time since a restore point was proved by a drill, in seconds,"),
        **limits("room", "the free space of a repository on the host, as a multiple of the last backup,"),
        **limits("growth", "the size of the last backup, as a multiple of what was usual,"),
        "on_the_host": "Whether a repository in a directory of the host is accepted, because that is another "
        "machine's, or its loss is.",
        "lock_age": "Seconds after which a lock in the repository that nobody refreshes is left behind.",
    },
}
