# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that ask or change the database, and why they failed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._host.logged_commands import Commands
from .._host.obstacles import SYSTEM, Obstacle, Reason, explain

TABLE: tuple[Obstacle, ...] = (
    # SQLAlchemy names the class of psycopg, whatever the server's language.
    Obstacle("database", re.compile(r"psycopg2?\.errors\.\w+"), says="The database refuses it"),
    *SYSTEM,
    Obstacle(
        "migrations",
        re.compile(r"^FAILED: |alembic\.util\.exc\.CommandError"),
        says="The migrations contradict each other or the database",
    ),
)


class DatabaseCommands(Commands):
    """Commands of PostgreSQL's client and of Alembic."""

    def explain(self, output: Iterable[str]) -> Reason:
        """The reason of a failure, also as driver and migrations tell it."""
        return explain(output, TABLE)
