# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""PostgreSQL as the application sees it, read only and with a statement timeout."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from ..._durations import brief, size
from ..._host.accounts import expand_home
from ..._host.addresses import is_this_host
from ..._http import MissingLibraryError
from ..._services.diagnosis import recognize
from ..context import Context, Problem
from ..postgresql import (
    BACKUP,
    CONNECTIONS,
    DISK,
    LOCKS,
    LOGIN,
    LOGIN_UNKNOWN,
    SIZE,
    STATEMENT,
    STATEMENT_UNKNOWN,
    TRANSACTION,
)
from ..verdict import ERROR, FAIL, PASS, SKIP, Verdict, combine

if TYPE_CHECKING:
    from ..._host.user_files import UserFiles

# What an address may tell libpq. Left out is what names files to write or to take passwords from
# (sslkeylogfile, passfile, service), and what has it talk to another host than the one that is named.
LIBPQ_PARAMETERS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "gssencmode": "PGGSSENCMODE",
    "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
# Passwords come from the address only.
NO_FILES = {"PGPASSFILE": "/dev/null", "PGSERVICEFILE": "/dev/null", "PGSYSCONFDIR": "/nonexistent"}


def libpq_url(url: str) -> str:
    """The product's SQLAlchemy address as libpq understands it."""
    parts = urlsplit(url)
    scheme = parts.scheme.split("+")[0]
    if scheme not in ("postgresql", "postgres"):
        raise Problem(
            "bad_option",
            f"database_url: {scheme or 'nothing'} is not PostgreSQL",
            cause="The check knows PostgreSQL only, which is what the product uses.",
            remedy="Give an address of the form postgresql+psycopg://user:password@host:5432/database.",
            state=ERROR,
        )
    query = urlencode([(key, value) for key, value in parse_qsl(parts.query) if key in LIBPQ_PARAMETERS])
    return urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))


def login_problem(message: str, url: str, where: str) -> Problem:
    """Why there is no connection."""
    parts = urlsplit(url)
    host, port = parts.hostname or "the local socket", parts.port or 5432
    user, name = unquote(parts.username or ""), parts.path.lstrip("/")
    first = next((line for line in message.splitlines() if line.strip()), message).strip()
    evidence = {"error": message[:500], "host": host, "port": port, "user": user, "database": name}
    words = {"host": host, "port": port, "user": user, "name": name, "where": where}
    found = recognize(message, LOGIN, words) or LOGIN_UNKNOWN
    return Problem(found.kind, first, cause=found.cause, remedy=found.remedy, evidence=evidence)


_ASSIGNED = re.compile(r"^(revision|down_revision)\s*(?::[^=\n]+)?=\s*(.+?)\s*(?:#.*)?$", re.MULTILINE)


def migration_heads(sources: Mapping[str, str]) -> set[str]:
    """The revisions that no other migration builds on."""
    revisions: set[str] = set()
    parents: set[str] = set()
    for text in sources.values():
        values: dict[str, Any] = {}
        for name, expression in _ASSIGNED.findall(text):
            # Several lines: up to the closing bracket.
            if expression.startswith(("(", "[")) and not expression.rstrip(",").endswith((")", "]")):
                start = text.index(expression)
                expression = text[start : text.index(")" if expression[0] == "(" else "]", start) + 1]
            try:
                values[name] = ast.literal_eval(expression)
            except (ValueError, SyntaxError):
                continue
        if isinstance(values.get("revision"), str):
            revisions.add(values["revision"])
            below = values.get("down_revision")
            parents.update([below] if isinstance(below, str) else below or [])
    return revisions - parents


def read_migrations(backend: Path, files: UserFiles) -> dict[str, str]:
    """The migration files of a backend."""
    for place in ("migrations/versions", "alembic/versions", "app/migrations/versions"):
        if files.exists(backend / place):
            return files.texts(backend / place, "*.py")
    return {}


def judge_migrations(applied: Sequence[str] | None, heads: set[str], known: set[str]) -> Verdict:
    """Whether the schema is the one that the deployed code expects."""
    remedy = "Deploy again: the migrations run before the start (alembic upgrade head)."
    if applied is None:
        return Verdict(
            "migrations",
            FAIL,
            "the database has no schema",
            cause="No migration was ever applied: the table alembic_version does not exist.",
            remedy=remedy,
            kind="migration_missing",
        )
    evidence = {"applied": sorted(applied), "heads": sorted(heads)}
    if not heads:
        return Verdict(
            "migrations",
            SKIP,
            f"at {', '.join(sorted(applied))}; the deployed code's migrations are not at hand",
            evidence=evidence,
        )
    if set(applied) == heads:
        return Verdict("migrations", summary=f"at the head, {', '.join(sorted(heads))}", evidence=evidence)
    if set(applied) - known:
        return Verdict(
            "migrations",
            FAIL,
            f"the code lacks {', '.join(sorted(set(applied) - known))}, which the database is at",
            cause="The schema was migrated by a newer release than the one deployed, as after a rollback "
            "of the code alone.",
            remedy="Deploy the newer release again, or restore the database from the backup made before it.",
            kind="migration_ahead",
            evidence=evidence,
        )
    return Verdict(
        "migrations",
        FAIL,
        f"the database is at {', '.join(sorted(applied)) or 'nothing'}, the code needs "
        f"{', '.join(sorted(heads))}",
        cause="Migrations of the deployed code were not applied.",
        remedy=remedy,
        kind="migration_missing",
        evidence=evidence,
    )


def judge_transactions(oldest: float, waiting: int, options: Mapping[str, Any]) -> list[Verdict]:
    """Long transactions and sessions that wait for a lock."""
    return [
        TRANSACTION.judged(oldest, f"the longest transaction is {brief(oldest)} old", options),
        LOCKS.judged(waiting, f"{waiting} sessions wait for a lock", options),
    ]


def judge_share(used: float, most: float, options: Mapping[str, Any]) -> Verdict:
    """Connections in percent of what is allowed."""
    share = used / most * 100 if most else 0.0
    return CONNECTIONS.judged(share, f"{used:.0f} of {most:.0f} connections ({share:.0f} %)", options)


def judge_backup(directory: str, ages: Sequence[float] | None, options: Mapping[str, Any]) -> Verdict:
    """Age of the newest backup."""
    if ages is None or not ages:
        return Verdict(
            "backup",
            FAIL,
            f"there is no backup in {directory}",
            cause="No backup was made yet, or they are kept elsewhere.",
            remedy="Make one (playbook backup), or name the right directory in backup_directory.",
            kind="backup_missing",
        )
    age = min(ages)
    return BACKUP.judged(age, f"the last backup is {brief(age)} old", options)


def look_at_backups(context: Context, directory: Path, options: Mapping[str, Any]) -> Verdict:
    """The backups as the application's user sees them."""
    try:
        ages: list[float] | None = context.host.files.ages(directory, context.clock.now())
    except PermissionError:
        user = context.host.account.name
        return Verdict(
            "backup",
            ERROR,
            f"{user} may not look into {directory}",
            cause="The checks look at files as the application's user, and the directory is closed to it.",
            remedy=f"Let {user} read the directory, or leave backup_directory empty.",
            kind="not_permitted",
        )
    except OSError:
        ages = None
    return judge_backup(str(directory), ages, options)


def judge_disk(path: str, free: int, total: int, options: Mapping[str, Any]) -> Verdict:
    """Space where the database grows."""
    share = free / total * 100 if total else 0.0
    return DISK.judged(share, f"{size(free)} free at {path} ({share:.0f} %)", options, path=path)


def _fetch(cursor: Any, statement: str) -> list[tuple[Any, ...]]:
    cursor.execute(statement)
    return list(cursor.fetchall())


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """One connection, a handful of statements."""
    url = options["database_url"] or context.host.environment.get("DATABASE_URL", "")
    if not url:
        context.require_deployed()
        return Verdict(
            "database",
            ERROR,
            "no database address",
            cause=f"None was given, and {context.host.env_file} does not hold DATABASE_URL or cannot be "
            "read.",
            remedy="Run the check as root or as the application's user, or give database_url.",
            kind="no_database_url",
        )
    context.redactor.add(urlsplit(url).password, unquote(urlsplit(url).password or ""))
    dsn = libpq_url(url)
    try:
        import psycopg2
    except ImportError as error:
        raise MissingLibraryError("psycopg2", "python3-psycopg2") from error
    timeout = max(1, round(float(options["statement_timeout"]) * 1000))
    try:
        connection = psycopg2.connect(
            dsn,
            passfile=os.devnull,
            connect_timeout=max(2, int(context.client.timeout)),
            application_name="mission-control-verify",
            options=f"-c statement_timeout={timeout} -c lock_timeout={timeout} "
            "-c default_transaction_read_only=on",
        )
    except psycopg2.Error as error:
        problem = login_problem(context.redactor.text(str(error)), url, context.where)
        return combine("database", [problem.verdict("login")])
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            parts = _judge(context, options, cursor, url, psycopg2.Error)
            return combine("database", parts, "; ".join(part.summary for part in parts[:3]))
    finally:
        connection.close()


def _judge(
    context: Context, options: Mapping[str, Any], cursor: Any, url: str, database_error: type[Exception]
) -> list[Verdict]:
    def guarded(name: str, work: Any) -> Verdict:
        def really() -> Verdict:
            try:
                found: Verdict = work()
                return found
            except database_error as error:
                text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                reason = recognize(text, STATEMENT, {}) or STATEMENT_UNKNOWN
                return Verdict(
                    name,
                    FAIL,
                    context.redactor.text(text),
                    cause=reason.cause,
                    remedy=reason.remedy,
                    kind=reason.kind,
                )

        return context.guard(name, really)

    version, database = _fetch(cursor, "SELECT current_setting('server_version'), current_database()")[0]
    login = Verdict(
        "login",
        summary=f"logged in to {database}, PostgreSQL {str(version).split()[0]}",
        evidence={"database": database, "server_version": version},
    )

    def migrations() -> Verdict:
        there = _fetch(cursor, "SELECT to_regclass('alembic_version') IS NOT NULL")[0][0]
        applied = (
            [row[0] for row in _fetch(cursor, "SELECT version_num FROM alembic_version")] if there else None
        )
        backend = (context.host.release or context.host.root) / "backend"
        sources = read_migrations(backend, context.host.files)
        known = {
            str(match)
            for text in sources.values()
            for match in re.findall(r"^revision\s*(?::[^=\n]+)?=\s*[\"']([^\"']+)", text, re.MULTILINE)
        }
        return judge_migrations(applied, migration_heads(sources), known)

    def agents() -> Verdict:
        rows = _fetch(cursor, "SELECT name, status FROM agents ORDER BY name LIMIT 1000")
        counts: dict[str, int] = {}
        for _name, status in rows:
            counts[str(status)] = counts.get(str(status), 0) + 1
        text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"
        return Verdict(
            "agents",
            summary=f"{len(rows)} agents: {text}",
            evidence={"agents": [{"name": row[0], "status": row[1]} for row in rows[:100]]},
        )

    oldest, waiting, used, most = 0.0, 0, 0, 0

    def activity() -> Verdict:
        nonlocal oldest, waiting, used, most
        oldest, waiting, used, most = _fetch(
            cursor,
            "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)"
            " FILTER (WHERE pid <> pg_backend_pid() AND backend_type = 'client backend')), 0)::float8,"
            " count(*) FILTER (WHERE wait_event_type = 'Lock'),"
            # What other roles do is hidden from the application's, but not that they are connected.
            " count(*) FILTER (WHERE datid IS NOT NULL AND usesysid IS NOT NULL),"
            " current_setting('max_connections')::int - "
            "current_setting('superuser_reserved_connections')::int"
            " FROM pg_stat_activity",
        )[0]
        return Verdict("activity")

    def volume() -> Verdict:
        number = int(_fetch(cursor, "SELECT pg_database_size(current_database())")[0][0])
        return SIZE.judged(number, size(number), options)

    parts = [login, guarded("migrations", migrations), guarded("agents", agents)]
    found = guarded("activity", activity)
    if found.state == PASS:
        parts += judge_transactions(float(oldest), int(waiting), options)
        parts.append(judge_share(float(used), float(most), options))
    else:
        parts.append(found)
    parts.append(guarded("size", volume))
    if is_this_host(url):
        where = options["data_directory"]
        # Not Path.is_dir, which raises for a directory that the user may not enter.
        if os.path.isdir(where):  # noqa: PTH112
            space = os.statvfs(where)
            parts.append(
                judge_disk(where, space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize, options)
            )
    if options["backup_directory"]:
        directory = Path(expand_home(options["backup_directory"], context.host.account))
        parts.append(context.guard("backup", partial(look_at_backups, context, directory, options)))
    return parts
