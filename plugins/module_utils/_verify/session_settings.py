# SPDX-License-Identifier: GPL-3.0-or-later
"""Where PostgreSQL has a session's setting from, and what takes it back there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from .._database.administrator import identifier

# A session keeps what it began with.
RESTART = "then: mission-control restart backend worker"
# By the word of pg_settings. Braces: database, user, setting.
_SOURCES: Mapping[str, tuple[str, str]] = {
    "database": ("It is set for the database {database}.", "ALTER DATABASE {database} RESET {setting}"),
    "user": ("It is set for the role {user}.", "ALTER ROLE {user} RESET {setting}"),
    "database user": (
        "It is set for the role {user} in the database {database}.",
        "ALTER ROLE {user} IN DATABASE {database} RESET {setting}",
    ),
}


def taken_back(setting: str, source: str, database: str, user: str) -> tuple[str, str]:
    """Where it is set, in words, and what is done about it.

    :param setting: its name.
    :param source: where it comes from, a word of pg_settings.
    """
    where, statement = _SOURCES.get(source, ("", ""))
    if statement:
        statement = statement.format(database=identifier(database), user=identifier(user), setting=setting)
        how = f"runuser -u postgres -- psql -c {shlex.quote(statement)}; {RESTART}"
        return where.format(database=database, user=user), how
    if source in ("client", "environment variable"):
        return (
            "The application itself asks for it, in the options of DATABASE_URL or in PGOPTIONS.",
            "remove it from mission_control_database_url (or from PGOPTIONS in the settings) and deploy.",
        )
    return (
        "It is set for the whole server.",
        f"runuser -u postgres -- psql -c 'ALTER SYSTEM RESET {setting}' -c "
        f"'SELECT pg_reload_conf()', where it stands in postgresql.conf remove it there; {RESTART}",
    )
