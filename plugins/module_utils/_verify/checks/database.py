# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL as the application sees it: with its own settings, and our time limits. Nothing stays behind."""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..._cures import DELIBERATE
from ..._database.address import AddressError, libpq_url
from ..._database.administrator import literal
from ..._database.few import few_rows
from ..._database.login import load_psycopg2, refusal
from ..._host.accounts import expand_home
from ..._host.reachable import is_this_host
from ..._host.symptoms import recognize
from ..._host.user_entries import ages as ages_of
from ..._host.user_entries import texts
from ..._host.user_files import UserFiles
from ..._redaction import Redactor
from ..._release.places import current_release
from ..._times.amounts import brief, size
from ..certificates import judge_certificate, postgresql_certificate_ends
from ..check import Prepared
from ..context import Context, Problem
from ..database_locks import Holder, holders, judge_locks
from ..database_search_path import judge_search_path
from ..database_writes import session_options, try_to_write
from ..deployed import require_deployed
from ..postgresql import (
    BACKUP,
    CONNECTIONS,
    DISK,
    SIZE,
    SLOTS,
    STATEMENT,
    STATEMENT_UNKNOWN,
    TRANSACTION,
)
from ..verdict import ERROR, FAIL, PASS, SKIP, Verdict, combine


def login_problem(message: str, url: str, where: str) -> Problem:
    """Why there is no connection."""
    found = refusal(message, url, where)
    return Problem(
        found.kind,
        found.summary,
        cause=found.cause,
        remedy=found.remedy,
        cure=found.cure,
        evidence=found.evidence,
    )


def address(url: str) -> str:
    """The product's SQLAlchemy address as libpq understands it."""
    try:
        return libpq_url(url)
    except AddressError as error:
        raise Problem(
            "bad_option",
            str(error),
            cause="The check knows PostgreSQL only, which is what the product uses.",
            remedy="Give an address of the form postgresql+psycopg://user:password@host:5432/database.",
            state=ERROR,
        ) from None


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
            return texts(files, backend / place, "*.py")
    return {}


def _too_many_rows(applied: Sequence[str], heads: set[str], evidence: dict[str, Any]) -> Verdict:
    """More rows than the code has heads: deploying changes nothing about that."""
    wrong = sorted(set(applied) - heads) or sorted(applied)[1:]
    names = ", ".join("'" + revision.replace("'", "''") + "'" for revision in wrong)
    # For a person to read and to call; nothing here calls it.
    deletion = f"DELETE FROM alembic_version WHERE version_num IN ({names})"  # noqa: S608
    statement = shlex.quote(deletion) if re.search(r'[$`\\"!]', deletion) else f'"{deletion}"'
    return Verdict(
        "migrations",
        FAIL,
        f"alembic_version has {len(applied)} rows: {', '.join(sorted(applied))}",
        cause=f"The code has one head ({', '.join(sorted(heads))}), and alembic takes each row for a branch "
        "of the schema: migrations of later releases will fail. Somebody added a row by hand, or two "
        "databases were merged.",
        remedy="See that the schema is that of the head, make a backup (playbook backup), then remove the "
        f"other rows: mission-control db --write -c {statement}",
        kind="migration_rows",
        evidence=evidence,
    )


def _no_version(backend: Path, user: str) -> Verdict:
    """Tables, and nothing that says which migrations made them: deploying would try all of them again."""
    return Verdict(
        "migrations",
        FAIL,
        "the database has tables, and no table alembic_version",
        cause="Somebody removed or renamed it, or the database was restored in part. The next deployment "
        "would apply all migrations to tables that are there, and fail.",
        remedy="Where the schema is that of the deployed code, say so: runuser --pty -u "
        f"{user} -- sh -c {shlex.quote(f'cd {shlex.quote(str(backend))} && .venv/bin/alembic stamp head')}. "
        "Where it is not, or nobody knows, restore a backup.",
        kind="migration_unknown",
    )


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
            cure=DELIBERATE,
        )
    evidence = {"applied": sorted(applied), "heads": sorted(heads)}
    if not heads:
        return Verdict(
            "migrations",
            SKIP,
            f"at {', '.join(sorted(applied))}; the deployed code's migrations are not at hand",
            evidence=evidence,
        )
    if len(applied) > max(1, len(heads)):
        return _too_many_rows(applied, heads, evidence)
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
        cure=DELIBERATE,
        evidence=evidence,
    )


def judge_transactions(oldest: float, options: Mapping[str, Any]) -> Verdict:
    """How long a transaction is open."""
    return TRANSACTION.judged(oldest, f"the longest transaction is {brief(oldest)} old", options)


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
        ages: list[float] | None = ages_of(context.host.files, directory, context.clock.now())
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


class _OverPsycopg2(Prepared):
    def load(self) -> None:
        load_psycopg2()


@_OverPsycopg2
def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """One connection, a handful of statements."""
    url = options["database_url"] or context.host.environment.get("DATABASE_URL", "")
    if not url:
        require_deployed(context)
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
    dsn = address(url)
    psycopg2 = load_psycopg2()
    timeout = max(1, round(float(options["statement_timeout"]) * 1000))
    try:
        connection = psycopg2.connect(
            dsn,
            passfile=os.devnull,
            connect_timeout=max(2, int(context.common["timeout"])),
            application_name="mission-control-verify",
            options=session_options(url, context.host.environment, timeout),
        )
    except psycopg2.Error as error:
        problem = login_problem(context.redactor.text(str(error)), url, context.where)
        return combine("database", [problem.verdict("login")])
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            parts = _judge(context, options, cursor, url, psycopg2.Error)
            ends = postgresql_certificate_ends(url, min(5.0, float(context.common["timeout"])))
            parts += judge_certificate(ends, context.clock.now(), options)
            return combine("database", parts, "; ".join(part.summary for part in parts[:3]))
    finally:
        connection.close()


def _refused(name: str, error: Exception, redactor: Redactor) -> Verdict:
    """The verdict on a statement that PostgreSQL refuses."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    reason = recognize(text, STATEMENT, {}) or STATEMENT_UNKNOWN
    return Verdict(
        name, FAIL, redactor.text(text), cause=reason.cause, remedy=reason.remedy, kind=reason.kind
    )


def _migrations(context: Context, cursor: Any) -> Verdict:
    there, tables = _fetch(
        cursor,
        "SELECT to_regclass('alembic_version') IS NOT NULL, to_regclass('organizations') IS NOT NULL",
    )[0]
    if not there and (elsewhere := judge_search_path(cursor)):
        return elsewhere
    applied = [row[0] for row in few_rows(cursor, ["version_num"], "FROM alembic_version")] if there else None
    backend = (current_release(context.host.files, context.host.root) or context.host.root) / "backend"
    if tables and not there:
        return _no_version(context.host.root / "current/backend", context.host.account.name)
    sources = read_migrations(backend, context.host.files)
    known = {
        str(match)
        for text in sources.values()
        for match in re.findall(r"^revision\s*(?::[^=\n]+)?=\s*[\"']([^\"']+)", text, re.MULTILINE)
    }
    return judge_migrations(applied, migration_heads(sources), known)


def _agents(cursor: Any) -> Verdict:
    rows = few_rows(cursor, ["name", "status"], "FROM agents ORDER BY name")
    counts: dict[str, int] = {}
    for _name, status in rows:
        counts[status] = counts.get(status, 0) + 1
    text = ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"
    return Verdict(
        "agents",
        summary=f"{len(rows)} agents: {text}",
        evidence={"agents": [{"name": row[0], "status": row[1]} for row in rows[:100]]},
    )


def judge_slots(kept: Sequence[tuple[str, float]], options: Mapping[str, Any]) -> Verdict:
    """How much of PostgreSQL's log is kept for a replica that does not fetch it."""
    name, most = max(kept, key=lambda slot: slot[1], default=("", 0.0))
    dropped = f"SELECT pg_drop_replication_slot({literal(name)})"
    return SLOTS.judged(
        most,
        f"{size(round(most))} of its log are kept for the slot {name}" if name else "no slot keeps its log",
        options,
        name=name,
        command=f"runuser -u postgres -- psql -c {shlex.quote(dropped)}",
    )


def _slots(cursor: Any, options: Mapping[str, Any]) -> Verdict:
    kept = _fetch(
        cursor,
        "SELECT slot_name, greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery()"
        " THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn), 0)::float8"
        " FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL",
    )
    return judge_slots([(str(name), float(number)) for name, number in kept], options)


def _judge(
    context: Context, options: Mapping[str, Any], cursor: Any, url: str, database_error: type[Exception]
) -> list[Verdict]:
    def guarded(name: str, work: Callable[[], Verdict]) -> Verdict:
        def really() -> Verdict:
            try:
                return work()
            except database_error as error:
                return _refused(name, error, context.redactor)

        return context.guard(name, really)

    version, database = _fetch(cursor, "SELECT current_setting('server_version'), current_database()")[0]
    login = Verdict(
        "login",
        summary=f"logged in to {database}, PostgreSQL {str(version).split()[0]}",
        evidence={"database": database, "server_version": version},
    )

    oldest, waiting, used, most = 0.0, 0, 0, 0
    held: list[Holder] = []

    def locks() -> Verdict:
        held.extend(holders(cursor, context.clock.sleep))
        if held:
            # What it keeps us from is told with it.
            cursor.execute("SET lock_timeout = '300ms'")
        return judge_locks(held, 0, url, options)

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

    # Before the others, whose session writes nothing.
    writes = guarded("writes", lambda: try_to_write(cursor))
    cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    locked = guarded("locks", locks)
    parts = [
        login,
        writes,
        guarded("migrations", partial(_migrations, context, cursor)),
        guarded("agents", partial(_agents, cursor)),
    ]
    found = guarded("activity", activity)
    if found.state == PASS:
        parts.append(judge_transactions(float(oldest), options))
        parts.append(locked if locked.state == FAIL else judge_locks(held, int(waiting), url, options))
        parts.append(judge_share(float(used), float(most), options))
    else:
        parts += [locked, found]
    parts.append(guarded("size", volume))
    parts.append(guarded("slots", partial(_slots, cursor, options)))
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
