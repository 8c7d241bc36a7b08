# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a service failed: what its unit says, and what its last lines say, in an operator's terms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Symptom(NamedTuple):
    """What a program says of its failure, and what that means in an operator's terms."""

    pattern: re.Pattern[str]
    kind: str
    cause: str
    remedy: str


def recognize(text: str, symptoms: Iterable[Symptom], words: Mapping[str, object]) -> Symptom | None:
    """The first symptom in a text, with the words in the braces of its cause and its remedy."""
    for symptom in symptoms:
        if symptom.pattern.search(text):
            return symptom._replace(
                cause=symptom.cause.format(**words), remedy=symptom.remedy.format(**words)
            )
    return None


# What the last journal lines say about a start that failed.
HINTS: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile(r"(?i)address already in use|EADDRINUSE"),
        kind="port_held",
        cause="Another process holds the port of this service.",
        remedy="See who: ss -ltnp. End that process, or give the service another port, then: {restart}",
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
        pattern=re.compile(r"(?i)(redis|6379).*(refused|ConnectionError|Name or service)"),
        kind="redis_down",
        cause="Redis cannot be reached with RQ_REDIS_URL.",
        remedy="Start Redis (systemctl status redis-server) or correct mission_control_redis_url.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)no schema|UndefinedTable|relation \".*\" does not exist|UndefinedColumn"),
        kind="migration_missing",
        cause="The database's schema is older than the deployed code.",
        remedy="Deploy again: the migrations run before the start.",
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
    ),
    Symptom(
        pattern=re.compile(r"(?i)ModuleNotFoundError|ImportError|Cannot find module"),
        kind="code_incomplete",
        cause="The release lacks a module: its environment is incomplete or was removed.",
        remedy="Deploy again; if it stays, remove the release's directory first.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)JavaScript heap out of memory|MemoryError|Out of memory"),
        kind="out_of_memory",
        cause="The process ran out of memory.",
        remedy="Give the host more memory or raise the unit's memory limit.",
    ),
    Symptom(
        pattern=re.compile(r"(?i)No space left on device"),
        kind="disk_full",
        cause="The disk is full.",
        remedy="Make room (journalctl --vacuum-size=200M, old releases), then: {restart}",
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
        if found := recognize(line, HINTS, words):
            return found.kind, found.cause, found.remedy
    return None
