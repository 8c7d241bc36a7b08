# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""PostgreSQL as the application sees it, read only and with a statement timeout."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from ..._durations import brief, size
from ..._host.addresses import is_this_host
from ..._http import MissingLibraryError
from ..context import Context, Problem
from ..thresholds import judge
from ..verdict import ERROR, FAIL, PASS, SKIP, Measure, Verdict, combine


def libpq_url(url: str) -> str:
    """The product's SQLAlchemy address as libpq understands it."""
    parts = urlsplit(url)
    scheme = parts.scheme.split("+")[0]
    if scheme not in ("postgresql", "postgres"):
        raise Problem(
            "bad_option",
            f"database_url: {scheme or 'nothing'} is not PostgreSQL",
            "The check knows PostgreSQL only, which is what the product uses.",
            "Give an address of the form postgresql+psycopg://user:password@host:5432/database.",
            state=ERROR,
        )
    query = urlencode(
        [(key, value) for key, value in parse_qsl(parts.query) if key not in ("prepare_threshold",)]
    )
    return urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))


def login_problem(message: str, url: str, where: str) -> Problem:
    """Why there is no connection."""
    parts = urlsplit(url)
    host, port = parts.hostname or "the local socket", parts.port or 5432
    user, name = unquote(parts.username or ""), parts.path.lstrip("/")
    first = next((line for line in message.splitlines() if line.strip()), message).strip()
    evidence = {"error": message[:500], "host": host, "port": port, "user": user, "database": name}
    table: tuple[tuple[str, str, str, str], ...] = (
        (
            r"password authentication failed|no password supplied",
            "database_login",
            f"PostgreSQL refuses the password of {user}: the one in DATABASE_URL is not the one of the role.",
            "Deploy again (role postgresql sets the role's password), or correct "
            "mission_control_database_url.",
        ),
        (
            r"role \".*\" does not exist",
            "database_login",
            f"The database role {user} does not exist.",
            "Deploy again (role postgresql makes it), or correct mission_control_database_user.",
        ),
        (
            r"database \".*\" does not exist",
            "database_missing",
            f"The database {name} does not exist.",
            "Deploy again (role postgresql makes it), or correct mission_control_database_name.",
        ),
        (
            r"no pg_hba.conf entry|pg_hba",
            "database_login",
            f"PostgreSQL does not let {user} in from {where}.",
            "Add an entry to pg_hba.conf (role postgresql does) and reload PostgreSQL.",
        ),
        (
            r"too many clients|remaining connection slots",
            "database_connections",
            "All connections of PostgreSQL are in use.",
            "See who holds them (pg_stat_activity), end them, or raise max_connections.",
        ),
        (
            r"starting up|shutting down|in recovery",
            "database_starting",
            "PostgreSQL is starting or stopping.",
            "Wait; if it stays so, look at its journal: journalctl -u postgresql@*.",
        ),
        (
            r"could not translate host name|Name or service not known",
            "database_dns",
            f"The name {host} cannot be resolved from {where}.",
            "Correct the host in mission_control_database_url.",
        ),
        (
            r"certificate|SSL",
            "database_tls",
            "TLS with PostgreSQL fails.",
            "Correct sslmode or the certificates named in mission_control_database_url.",
        ),
        (
            r"timeout expired|timed out",
            "database_timeout",
            f"PostgreSQL at {host} port {port} does not answer: a firewall, or the server hangs.",
            "Check the firewall and the server's load.",
        ),
        (
            r"[Cc]onnection refused|No such file or directory|server closed the connection",
            "database_down",
            f"PostgreSQL does not answer at {host} port {port}: it is stopped, or bound to another address.",
            "systemctl start postgresql; if it does not stay up: journalctl -u 'postgresql@*'.",
        ),
    )
    for pattern, kind, cause, remedy in table:
        if re.search(pattern, message):
            return Problem(kind, first, cause, remedy, evidence)
    return Problem(
        "database_failed",
        first,
        "The connection to PostgreSQL fails for a reason that this collection does not know.",
        "Look at the error in the evidence and at PostgreSQL's log.",
        evidence,
    )


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


def read_migrations(backend: Path) -> dict[str, str]:
    """The migration files of a backend."""
    for place in ("migrations/versions", "alembic/versions", "app/migrations/versions"):
        directory = backend / place
        if directory.is_dir():
            return {
                path.name: path.read_text(encoding="utf-8", errors="replace")
                for path in directory.glob("*.py")
            }
    return {}


def judge_migrations(applied: Sequence[str] | None, heads: set[str], known: set[str]) -> Verdict:
    """Whether the schema is the one that the deployed code expects."""
    remedy = "Deploy again: the migrations run before the start (alembic upgrade head)."
    if applied is None:
        return Verdict(
            "migrations",
            FAIL,
            "the database has no schema",
            "No migration was ever applied: the table alembic_version does not exist.",
            remedy,
            "migration_missing",
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
            "The schema was migrated by a newer release than the one deployed, as after a rollback of the "
            "code "
            "alone.",
            "Deploy the newer release again, or restore the database from the backup made before it.",
            "migration_ahead",
            evidence,
        )
    return Verdict(
        "migrations",
        FAIL,
        f"the database is at {', '.join(sorted(applied)) or 'nothing'}, the code needs "
        f"{', '.join(sorted(heads))}",
        "Migrations of the deployed code were not applied.",
        remedy,
        "migration_missing",
        evidence,
    )


def judge_transactions(oldest: float, waiting: int, options: Mapping[str, Any]) -> list[Verdict]:
    """Long transactions and sessions that wait for a lock."""
    warn, crit = options["transaction_warning"], options["transaction_critical"]
    long = Verdict(
        "transactions", judge(oldest, warn, crit), f"the longest transaction is {brief(oldest)} old"
    )
    long.measures = [Measure("oldest transaction", round(oldest, 1), "s", warn, crit)]
    if long.state != PASS:
        long.kind = "transaction_long"
        long.cause = "A session keeps a transaction open: it blocks cleaning up and may hold locks."
        long.remedy = (
            "See which: SELECT pid, xact_start, query FROM pg_stat_activity; "
            "end it: SELECT pg_terminate_backend(pid)."
        )
    warn, crit = options["locks_warning"], options["locks_critical"]
    locks = Verdict("locks", judge(waiting, warn, crit), f"{waiting} sessions wait for a lock")
    locks.measures = [Measure("waiting for locks", float(waiting), "", warn, crit)]
    if locks.state != PASS:
        locks.kind = "locks"
        locks.cause = "Another session holds a lock that these wait for, a migration for example."
        locks.remedy = (
            "See which: SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock'."
        )
    return [long, locks]


def judge_share(name: str, used: float, most: float, options: Mapping[str, Any]) -> Verdict:
    """Connections in percent of what is allowed."""
    share = used / most * 100 if most else 0.0
    warn, crit = options["connections_warning"], options["connections_critical"]
    verdict = Verdict(name, judge(share, warn, crit), f"{used:.0f} of {most:.0f} connections ({share:.0f} %)")
    verdict.measures = [Measure("connections", round(share, 1), "%", warn, crit)]
    if verdict.state != PASS:
        verdict.kind = "database_connections"
        verdict.cause = "The server's connections are nearly used up; further ones will be refused."
        verdict.remedy = "See who holds them (pg_stat_activity), end idle ones, or raise max_connections."
    return verdict


def judge_backup(directory: str, ages: Sequence[float] | None, options: Mapping[str, Any]) -> Verdict:
    """Age of the newest backup."""
    warn, crit = options["backup_age_warning"], options["backup_age_critical"]
    if ages is None or not ages:
        return Verdict(
            "backup",
            FAIL,
            f"there is no backup in {directory}",
            "No backup was made yet, or they are kept elsewhere.",
            "Make one (playbook backup), or name the right directory in backup_directory.",
            "backup_missing",
        )
    age = min(ages)
    verdict = Verdict("backup", judge(age, warn, crit), f"the last backup is {brief(age)} old")
    verdict.measures = [Measure("backup age", round(age), "s", warn, crit)]
    if verdict.state != PASS:
        verdict.kind = "backup_old"
        verdict.cause = "The timer that makes backups does not run, or its backups fail."
        verdict.remedy = "Look at the journal of the backup timer; make a backup now (playbook backup)."
    return verdict


def judge_disk(path: str, free: int, total: int, options: Mapping[str, Any]) -> Verdict:
    """Space where the database grows."""
    share = free / total * 100 if total else 0.0
    warn, crit = options["disk_warning"], options["disk_critical"]
    verdict = Verdict("disk", judge(share, warn, crit), f"{size(free)} free at {path} ({share:.0f} %)")
    verdict.measures = [Measure("database disk free", round(share, 1), "%", warn, crit)]
    if verdict.state != PASS:
        verdict.kind = "disk_full"
        verdict.cause = (
            f"The file system of the database ({path}) is nearly full; PostgreSQL stops when it is."
        )
        verdict.remedy = "Make room there, or give it more space."
    return verdict


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
            f"None was given, and {context.host.env_file} does not hold DATABASE_URL or cannot be read.",
            "Run the check as root or as the application's user, or give database_url.",
            "no_database_url",
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
                slow = "statement timeout" in text
                return Verdict(
                    name,
                    FAIL,
                    context.redactor.text(text),
                    "The statement took longer than statement_timeout: the database is overloaded or locked."
                    if slow
                    else "The application's role may not do this, or the schema is another one.",
                    "See what it waits for (pg_stat_activity)."
                    if slow
                    else "Compare the deployed revision and the migrations; look at the role's privileges.",
                    "database_slow" if slow else "database_statement",
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
        sources = read_migrations(backend)
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
        warn, crit = options["size_warning"], options["size_critical"]
        verdict = Verdict("size", judge(number, warn, crit), size(number))
        verdict.measures = [Measure("database size", float(number), "B", warn, crit)]
        if verdict.state != PASS:
            verdict.kind = "database_size"
            verdict.cause = "The database has grown beyond what was expected."
            verdict.remedy = "See which tables grow; remove old activity, or raise size_warning."
        return verdict

    parts = [login, guarded("migrations", migrations), guarded("agents", agents)]
    found = guarded("activity", activity)
    if found.state == PASS:
        parts += judge_transactions(float(oldest), int(waiting), options)
        parts.append(judge_share("connections", float(used), float(most), options))
    else:
        parts.append(found)
    parts.append(guarded("size", volume))
    if is_this_host(url):
        where = options["data_directory"]
        if Path(where).is_dir():
            space = os.statvfs(where)
            parts.append(
                judge_disk(where, space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize, options)
            )
    if options["backup_directory"]:
        directory = Path(options["backup_directory"]).expanduser()
        ages = None
        if directory.is_dir():
            now = context.clock.now()
            ages = [
                now - path.stat().st_mtime for path in directory.iterdir() if not path.name.startswith(".")
            ]
        parts.append(judge_backup(str(directory), ages, options))
    return parts
