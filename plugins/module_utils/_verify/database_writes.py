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
from .session_settings import RESTART, taken_back
from .verdict import FAIL, SKIP, Verdict

# Of the tables, those that are the application's: somebody else's may be in the same schema.
_OWN = """(c.relowner = (SELECT relowner FROM pg_class WHERE oid = to_regclass('alembic_version'))
  OR c.relname IN ('users', 'organizations', 'boards', 'agents', 'gateways', 'tasks', 'activity_events'))"""
_STATE = """
SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
  (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only'),
  current_database(), current_user,
  (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace('public')
    AND {own}
    AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
      AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))),
  (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace('public')
    AND {own} AND row_security_active(c.oid)),
  to_regclass('alembic_version') IS NOT NULL
""".replace("{own}", _OWN)
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
    where, how = taken_back("default_transaction_read_only", source, database, user)
    return Verdict(
        "writes",
        FAIL,
        "default_transaction_read_only is on: every write is refused",
        cause=f"Sessions of the application are read only, so that it can show but not save. {where}",
        remedy=f"Take it back where it is set: {how}",
        kind="database_read_only",
        evidence=evidence,
    )


def _hidden(tables: str, database: str, evidence: dict[str, Any]) -> Verdict:
    """The product has no policies of its own: without one nothing is seen and nothing can be written."""
    names = tables.split(", ")
    statements = " ".join(
        f"-c {shlex.quote(f'ALTER TABLE {identifier(name)} DISABLE ROW LEVEL SECURITY')}" for name in names
    )
    return Verdict(
        "writes",
        FAIL,
        f"rows are hidden from the application: row level security is on for {tables[:200]}",
        cause="Somebody switched row level security on, which the product does not use: PostgreSQL shows the "
        "application none of the rows that no policy allows it, as if they were gone.",
        remedy=f"runuser -u postgres -- psql -d {database_option(database)} {statements}",
        kind="database_rows_hidden",
        evidence=evidence,
    )


def judge_state(
    recovery: bool, read_only: bool, source: str, database: str, user: str, lacking: str, hidden: str = ""
) -> Verdict | None:
    """What PostgreSQL itself says against writing; None where it says nothing.

    :param source: where default_transaction_read_only comes from, a word of pg_settings.
    :param lacking: tables on which the role lacks a right that the application needs, as a text.
    :param hidden: those whose rows are shown to it by policies alone.
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
            f"{shlex.quote(f'GRANT ALL ON ALL TABLES IN SCHEMA public TO {identifier(user)}')}; {RESTART}",
            kind="database_rights",
            evidence=evidence,
        )
    return _hidden(hidden, database, evidence) if hidden else None


def try_to_write(cursor: Any) -> Verdict:
    """Write in a transaction, and take it back. Raises the database's own error where that is refused.

    :param cursor: of a connection in autocommit, so that the transaction is only ours.
    """
    cursor.execute("BEGIN")
    try:
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        cursor.execute(_STATE)
        recovery, read_only, source, database, user, lacking, hidden, there = cursor.fetchone()
        refused = judge_state(
            recovery, read_only, str(source), database, user, str(lacking or ""), str(hidden or "")
        )
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
