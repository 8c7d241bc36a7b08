# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the application's tables are there, and its sessions do not look into their schema."""

from __future__ import annotations

from typing import Any

from .session_settings import taken_back
from .verdict import FAIL, Verdict

_ELSEWHERE = """
SELECT n.nspname, current_setting('search_path'),
  (SELECT source FROM pg_settings WHERE name = 'search_path'), current_database(), current_user
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'alembic_version' AND c.relkind = 'r' AND NOT pg_table_is_visible(c.oid)
  AND NOT pg_is_other_temp_schema(n.oid)
ORDER BY n.nspname = 'public' DESC, n.nspname LIMIT 1
"""


def judge_search_path(cursor: Any) -> Verdict | None:
    """A finding where alembic_version is in a schema that is not looked into; None where there is none."""
    cursor.execute(_ELSEWHERE)
    found = cursor.fetchone()
    if found is None:
        return None
    schema, path, source, database, user = found
    where, how = taken_back("search_path", str(source), database, user)
    return Verdict(
        "migrations",
        FAIL,
        f"the tables are in the schema {schema}, and sessions of the application look into {path or 'none'}",
        cause=f"search_path leaves out the schema of the application's tables. {where} For the application "
        "its database is empty, and a deployment would try to make all tables anew.",
        remedy=f"Take it back where it is set: {how}",
        kind="database_search_path",
        evidence={"schema": schema, "search_path": path, "source": source, "role": user},
    )
