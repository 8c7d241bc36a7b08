# SPDX-License-Identifier: GPL-3.0-or-later
"""This host's own server, asked and served as its administrator, whose programs root starts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .._host.accounts import find_account
from .._host.commands import Completed, Runner, run
from .._host.deployment_errors import DeploymentError
from .configuration import Configuration

ADMINISTRATOR = "postgres"
_ORDINARY = (
    "SELECT count(*) = 1 AND bool_and(NOT (rolsuper OR rolreplication OR rolbypassrls OR rolcreaterole)) "
    "FROM pg_roles"
)
_PATIENCE = 4 * 3600.0


class ArchiveError(DeploymentError):
    """What pgBackRest could not do."""


def as_administrator(
    words: Sequence[str], what: str, runner: Runner = run, timeout: float = _PATIENCE
) -> Completed:
    """One of the server's programs as its administrator."""
    # What is not qualified is the server's own.
    environment = {"PGOPTIONS": "-c search_path=pg_catalog", "PGPASSFILE": "/dev/null"}
    done = runner(list(words), account=find_account(ADMINISTRATOR), timeout=timeout, environment=environment)
    if not done.ok:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        wrong = [line for line in lines if "ERROR" in line or "FATAL" in line]
        reason = (wrong or lines[-1:] or [""])[0]
        raise ArchiveError(
            f"{what} failed: {_plain(reason)}",
            kind="archive_failed",
            remedy="See what it says (output), and whether the user postgres can write to the place of "
            "mission_control_backup_repository.",
            details={"output": [_plain(line) for line in lines[-10:]]},
        )
    return done


def _plain(line: str) -> str:
    """Without the moment and the process that pgBackRest begins its lines with."""
    return re.sub(r"^\S+ \S+ P\d+\s+|^(ERROR|FATAL):\s*", "", line).strip()


def ask_server(configuration: Configuration, query: str, runner: Runner = run, timeout: float = 60.0) -> str:
    """The administrator asks, in his own database, where no function is another's."""
    argv = ["psql", "--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    argv += [f"--port={configuration.wal_port}", "--dbname=postgres", f"--command={query}"]
    try:
        return as_administrator(argv, "Asking the server", runner, timeout).stdout.strip()
    except ArchiveError as error:
        error.kind, error.remedy = "no_database", "systemctl status postgresql"
        raise


def login_is_ordinary(configuration: Configuration, runner: Runner = run) -> bool:
    """Whether the application's role is no more than one: what runs as it may be anybody's."""
    # No quotation mark in it: configuration_of.
    query = f"{_ORDINARY} WHERE rolname = '{configuration.login}'"
    return ask_server(configuration, query, runner) == "t"


def standing(
    configuration: Configuration, runner: Runner = run, timeout: float = 60.0
) -> dict[str, Any] | None:
    """How the archiving goes: when it succeeded and when it failed last, as seconds since the epoch."""
    if not configuration.wal:
        return None
    query = (
        "SELECT extract(epoch FROM last_archived_time)::bigint, extract(epoch FROM last_failed_time)::bigint "
        "FROM pg_stat_archiver"
    )
    archived, failed = ask_server(configuration, query, runner, timeout).split("|")
    return {"archived": int(archived or 0) or None, "failed": int(failed or 0) or None}
