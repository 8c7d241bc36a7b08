# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that somebody else chose, in a command that PostgreSQL's administrator is to type."""

from __future__ import annotations

import re
import shlex


def identifier(name: str) -> str:
    """A database, role or extension as SQL names it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def database_option(name: str) -> str:
    """What follows psql's -d in a shell; libpq takes some names for addresses, which can name a library."""
    if "=" in name or "://" in name:
        name = "dbname='" + re.sub(r"([\\'])", r"\\\1", name) + "'"
    return shlex.quote(name)
