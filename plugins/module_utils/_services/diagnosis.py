# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a service failed: what its unit says, and what its last lines say, in an operator's terms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .._cures import DELIBERATE, DEPLOYMENT, MAKE_ROOM, Cure
from .._host.symptoms import Symptom, recognize

# What the last journal lines say about a start that failed.
HINTS: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile(r"(?i)(address|port \d+ is) already|EADDRINUSE"),
        kind="port_held",
        cause="Another process holds the port of this service.",
        remedy="See who: ss -ltnp. End it, or give the service another port, then: {restart}",
    ),
    Symptom(
        pattern=re.compile(r"(?i)LOCAL_AUTH_TOKEN must be"),
        kind="token_refused",
        cause="The backend refuses its LOCAL_AUTH_TOKEN: shorter than 50 characters, or a placeholder.",
        remedy="Set mission_control_token to a random value of 50 characters or more and deploy again.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)password authentication failed|role \".*\" does not exist"),
        kind="database_login",
        cause="PostgreSQL refuses the login in DATABASE_URL.",
        remedy="Correct mission_control_database_url or mission_control_database_password and deploy again.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)database \".*\" does not exist"),
        kind="database_missing",
        cause="The database named in DATABASE_URL does not exist.",
        remedy="Deploy again (role postgresql creates it), or correct mission_control_database_name.",
        cure=DELIBERATE,
    ),
    Symptom(
        pattern=re.compile(
            r"(?i)connection to server .*(refused|failed)|could not connect to server|"
            r"OperationalError.*(refused|connect)"
        ),
        kind="database_down",
        cause="PostgreSQL cannot be reached with DATABASE_URL.",
        remedy="Start PostgreSQL (systemctl status postgresql) or correct mission_control_database_url.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)(redis|6379).*(refused|ConnectionError|Name or service|unix socket)"),
        kind="redis_down",
        cause="Redis cannot be reached with RQ_REDIS_URL.",
        remedy="Start Redis (systemctl status redis-server) or correct mission_control_redis_url.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)no schema|UndefinedTable|relation \".*\" does not exist|UndefinedColumn"),
        kind="migration_missing",
        cause="The database's schema is older than the deployed code.",
        remedy="Deploy again: the migrations run before the start.",
        cure=DELIBERATE,
    ),
    Symptom(
        pattern=re.compile(r"(?i)(must be set|ValidationError|Field required)"),
        kind="settings_refused",
        cause="The application refuses its settings.",
        remedy="Correct the setting named in the journal lines (evidence) and deploy again.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)Failed to load environment files|environment file.*No such file"),
        kind="env_file_missing",
        cause="The environment file of the unit is missing.",
        remedy="Deploy again: the release's .env is written anew.",
        cure=DEPLOYMENT,
    ),
    Symptom(
        pattern=re.compile(r"(?i)ModuleNotFoundError|ImportError|Cannot find module"),
        kind="code_incomplete",
        cause="The release lacks a module: its environment is incomplete or was removed.",
        remedy="Deploy again; if it stays, remove the release's directory first.",
        cure=DEPLOYMENT,
    ),
    Symptom(
        pattern=re.compile(r"(?i)JavaScript heap out of memory|MemoryError|Out of memory"),
        kind="out_of_memory",
        cause="The process ran out of memory.",
        remedy="Give the host more memory or raise the unit's memory limit.",
    ),
    Symptom(
        pattern=re.compile(r"Too many open files|EMFILE"),
        kind="files_limit",
        cause="The process may not open as many files and connections as it needs.",
        remedy="Remove what lowers the limit (grep -rs LimitNOFILE /etc/systemd; grep -rs nofile "
        "/etc/security), then: systemctl daemon-reload; systemctl restart user@$(id -u {user}).service",
    ),
    Symptom(
        pattern=re.compile(r"(?i)No space left on device"),
        kind="disk_full",
        cause="The disk is full.",
        remedy="Make room (journalctl --vacuum-size=200M, old releases), then: {restart}",
        cure=MAKE_ROOM,
    ),
)


def why(lines: Sequence[str], words: Mapping[str, str]) -> tuple[str, str, str, Cure] | None:
    """Kind, cause, remedy and cure from the last journal lines, the latest line first."""
    for line in reversed(lines):
        if found := recognize(line, HINTS, words):
            return found.kind, found.cause, found.remedy, found.cure
    return None
