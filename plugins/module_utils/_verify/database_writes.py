# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the application can write its database: it is tried as the application would, and rolled back.

What is written is a row of alembic_version, over itself. Nobody waits for it: a row or a table that somebody
else holds is left alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .._database.administrator import database_option, identifier
from .verdict import FAIL, SKIP, Verdict

# A session keeps what it began with.
_RESTART = "then: mission-control restart backend worker"
# Where PostgreSQL has the setting from, and what takes it back. Braces: database, user.
_SOURCES: Mapping[str, tuple[str, str]] = {
    "database": (
        "It is set for the database {database}.",
        "ALTER DATABASE {database} RESET default_transaction_read_only",
    ),
    "user": (
        "It is set for the role {user}.",
        "ALTER ROLE {user} RESET default_transaction_read_only",
    ),
    "database user": (
        "It is set for the role {user} in the database {database}.",
        "ALTER ROLE {user} IN DATABASE {database} RESET default_transaction_read_only",
    ),
}
# Of the tables, those that are the application's: somebody else's may be in the same schema.
_STATE = """
SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
  (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only'),
  current_database(), current_user,
  (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace('public')
    AND (c.relowner = (SELECT relowner FROM pg_class WHERE oid = to_regclass('alembic_version'))
      OR c.relname IN ('users', 'organizations', 'boards', 'agents', 'gateways', 'tasks', 'activity_events'))
    AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
      AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))),
  to_regclass('alembic_version') IS NOT NULL
"""
_WRITE = (
    "UPDATE alembic_version SET version_num = version_num "
    "WHERE ctid = ANY(ARRAY(SELECT ctid FROM alembic_version FOR UPDATE SKIP LOCKED))"
)


def session_options(url: str, environment: Mapping[str, str], timeout: int) -> str:
    """libpq's `options`: those that the application's sessions have, and our time limits.

    :param environment: the application's settings, from which its libpq takes PGOPTIONS.
    :param timeout: of a statement, in milliseconds.
    """
    own = dict(parse_qsl(urlsplit(url).query)).get("options") or environment.get("PGOPTIONS", "")
    return f"{own} -c statement_timeout={timeout} -c lock_timeout={timeout}".strip()


def _read_only(source: str, database: str, user: str, evidence: dict[str, Any]) -> Verdict:
    words = {"database": database, "user": user}
    where, statement = _SOURCES.get(source, ("", ""))
    if statement:
        statement = statement.format(database=identifier(database), user=identifier(user))
        how = f"runuser -u postgres -- psql -c {shlex.quote(statement)}; {_RESTART}"
    elif source in ("client", "environment variable"):
        where = "The application itself asks for it, in the options of DATABASE_URL or in PGOPTIONS."
        how = "Remove it from mission_control_database_url (or from PGOPTIONS in the settings) and deploy."
    else:
        where = "It is set for the whole server."
        how = (
            "runuser -u postgres -- psql -c 'ALTER SYSTEM RESET default_transaction_read_only' -c "
            f"'SELECT pg_reload_conf()', where it stands in postgresql.conf remove it there; {_RESTART}"
        )
    return Verdict(
        "writes",
        FAIL,
        "default_transaction_read_only is on: every write is refused",
        cause="Sessions of the application are read only, so that it can show but not save. "
        + where.format(**words),
        remedy=how,
        kind="database_read_only",
        evidence=evidence,
    )


def judge_state(
    recovery: bool, read_only: bool, source: str, database: str, user: str, lacking: str
) -> Verdict | None:
    """What PostgreSQL itself says against writing; None where it says nothing.

    :param source: where default_transaction_read_only comes from, a word of pg_settings.
    :param lacking: tables on which the role lacks a right that the application needs, as a text.
    """
    evidence = {"in_recovery": recovery, "read_only": read_only, "source": source, "role": user}
    if recovery:
        return Verdict(
            "writes",
            FAIL,
            "PostgreSQL is a replica: every write is refused",
            cause="The server in DATABASE_URL follows another one (it is in recovery) and takes no "
            "writes: it is a standby, or it was never promoted.",
            remedy="Decide which server is the primary. Name it in mission_control_database_url and deploy; "
            "or make this one the primary, where the old one is gone for good: runuser -u postgres -- psql "
            "-c 'SELECT pg_promote()'",
            kind="database_replica",
            evidence=evidence,
        )
    if read_only:
        return _read_only(source, database, user, evidence)
    if lacking:
        return Verdict(
            "writes",
            FAIL,
            f"the role {user} may not write all tables: {lacking[:200]}",
            cause=f"The role of the application ({user}) lacks SELECT, INSERT, UPDATE or DELETE on them: "
            "they belong to another role, or the right was taken away.",
            remedy=f"runuser -u postgres -- psql -d {database_option(database)} -c "
            f"{shlex.quote(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO {identifier(user)}')}; {_RESTART}",
            kind="database_rights",
            evidence=evidence,
        )
    return None


def try_to_write(cursor: Any) -> Verdict:
    """Write in a transaction, and take it back. Raises the database's own error where that is refused.

    :param cursor: of a connection in autocommit, so that the transaction is only ours.
    """
    cursor.execute("BEGIN")
    try:
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        cursor.execute(_STATE)
        recovery, read_only, source, database, user, lacking, there = cursor.fetchone()
        refused = judge_state(recovery, read_only, str(source), database, user, str(lacking or ""))
        if refused is not None:
            return refused
        if not there:
            return Verdict("writes", SKIP, "there is no schema to write into")
        cursor.execute(_WRITE)
        return Verdict("writes", summary="it can be written", evidence={"role": user})
    except Exception as error:
        # Somebody migrates, or changes the schema by hand. Who waits for it, `locks` tells.
        if getattr(error, "pgcode", "") == "55P03":
            return Verdict("writes", SKIP, "not tried: somebody else holds a lock on alembic_version")
        raise
    finally:
        cursor.execute("ROLLBACK")
