# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a service failed: what its unit says, and what its last lines say, in an operator's terms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# What the last journal lines say about a start that failed: pattern, kind, cause, remedy.
HINTS: tuple[tuple[re.Pattern[str], str, str, str], ...] = (
    (
        re.compile(r"(?i)address already in use|EADDRINUSE"),
        "port_held",
        "Another process holds the port of this service.",
        "See who: ss -ltnp. End that process, or give the service another port, then: {restart}",
    ),
    (
        re.compile(r"(?i)LOCAL_AUTH_TOKEN must be"),
        "token_refused",
        "The backend refuses its LOCAL_AUTH_TOKEN: shorter than 50 characters, or a placeholder.",
        "Set mission_control_token to a random value of 50 characters or more and deploy again.",
    ),
    (
        re.compile(r"(?i)password authentication failed|role \".*\" does not exist"),
        "database_login",
        "PostgreSQL refuses the login in DATABASE_URL.",
        "Correct mission_control_database_url or mission_control_database_password and deploy again.",
    ),
    (
        re.compile(r"(?i)database \".*\" does not exist"),
        "database_missing",
        "The database named in DATABASE_URL does not exist.",
        "Deploy again (role postgresql creates it), or correct mission_control_database_name.",
    ),
    (
        re.compile(
            r"(?i)connection to server .*(refused|failed)|could not connect to server|"
            r"OperationalError.*(refused|connect)"
        ),
        "database_down",
        "PostgreSQL cannot be reached with DATABASE_URL.",
        "Start PostgreSQL (systemctl status postgresql) or correct mission_control_database_url.",
    ),
    (
        re.compile(r"(?i)(redis|6379).*(refused|ConnectionError|Name or service)"),
        "redis_down",
        "Redis cannot be reached with RQ_REDIS_URL.",
        "Start Redis (systemctl status redis-server) or correct mission_control_redis_url.",
    ),
    (
        re.compile(r"(?i)no schema|UndefinedTable|relation \".*\" does not exist|UndefinedColumn"),
        "migration_missing",
        "The database's schema is older than the deployed code.",
        "Deploy again: the migrations run before the start.",
    ),
    (
        re.compile(r"(?i)(must be set|ValidationError|Field required)"),
        "settings_refused",
        "The application refuses its settings.",
        "Correct the setting named in the journal lines (evidence) and deploy again.",
    ),
    (
        re.compile(r"(?i)Failed to load environment files|environment file.*No such file"),
        "env_file_missing",
        "The environment file of the unit is missing.",
        "Deploy again: the release's .env is written anew.",
    ),
    (
        re.compile(r"(?i)ModuleNotFoundError|ImportError|Cannot find module"),
        "code_incomplete",
        "The release lacks a module: its environment is incomplete or was removed.",
        "Deploy again; if it stays, remove the release's directory first.",
    ),
    (
        re.compile(r"(?i)JavaScript heap out of memory|MemoryError|Out of memory"),
        "out_of_memory",
        "The process ran out of memory.",
        "Give the host more memory or raise the unit's memory limit.",
    ),
    (
        re.compile(r"(?i)No space left on device"),
        "disk_full",
        "The disk is full.",
        "Make room (journalctl --vacuum-size=200M, old releases), then: {restart}",
    ),
)
# systemd's own words for how it ended.
RESULTS = {
    "exit-code": "the process ended with an error",
    "signal": "the process was killed by a signal",
    "core-dump": "the process crashed",
    "watchdog": "the process hung and the watchdog killed it",
    "timeout": "the start or stop took too long",
    "oom-kill": "the process was killed because memory ran out",
    "start-limit-hit": "it failed too often in a short time, so systemd gave up",
    "resources": "systemd could not provide what the unit needs (its environment file, for example)",
    "protocol": "the process never reported that it was ready",
}


def why(lines: Sequence[str], words: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Kind, cause and remedy from the last journal lines, the latest line first."""
    for line in reversed(lines):
        for pattern, kind, cause, remedy in HINTS:
            if pattern.search(line):
                return kind, cause, remedy.format(**words)
    return None
