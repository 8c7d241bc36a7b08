# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module database_query asks: its options, the address and the answer as its result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._application.installation import Installation
from .._redaction import Redactor
from .._tables import rows_table
from .query import Answer, QueryError, account_of, ask, ask_as_user, masked

MOST_ROWS = 100000
# Seconds that the server may work on one question.
LONGEST = 3600


def no_answer() -> dict[str, Any]:
    """What a failure returns in place of an answer."""
    return {
        "rows": [],
        "columns": [],
        "types": [],
        "row_count": 0,
        "truncated": False,
        "table": "",
        "duration_ms": 0.0,
    }


def refuse(options: Mapping[str, Any]) -> None:
    """Refuse options that cannot be meant, before anybody is asked."""
    problem = ""
    if not 1 <= options["limit"] <= MOST_ROWS:
        problem = f"limit: {options['limit']} is not between 1 and {MOST_ROWS}"
    elif not 0 < options["timeout"] <= LONGEST:
        problem = f"timeout: {options['timeout']:g} is not between 0 and {LONGEST} seconds"
    elif options["parameters"] is not None and not isinstance(options["parameters"], (list, dict)):
        problem = "parameters: give a list for %s or a dictionary for %(name)s"
    if problem:
        raise QueryError("bad_option", problem)


def answer(options: Mapping[str, Any], url: str, host: Installation, redactor: Redactor) -> dict[str, Any]:
    """Ask the database at `url` as the application's user of `host`; returns the module's result."""
    if not url:
        raise QueryError(
            "no_database_url",
            f"No database is known: {host.env_file} does not hold DATABASE_URL or cannot be read.",
            "Run as root (become: true) or as the application's user, or give database_url.",
        )

    def work() -> Answer:
        return ask(
            url,
            options["query"],
            parameters=options["parameters"],
            limit=options["limit"],
            statement_timeout=options["timeout"],
            connect_timeout=options["timeout"],
            redactor=redactor,
        )

    found = ask_as_user(account_of(host), work, 3 * options["timeout"] + 30)
    if options["mask"]:
        found = masked(found)
    rows = found.records()
    return {
        "changed": False,
        "rows": rows,
        "columns": found.columns,
        "types": found.types,
        "row_count": len(rows),
        "truncated": found.truncated,
        "table": rows_table(found.columns, rows, found.truncated),
        "duration_ms": found.duration_ms,
    }
