# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the application's tables, cut by the server: in a table's place may be a view without end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ROWS = 1000
LETTERS = 200


def few_rows(
    cursor: Any,
    columns: Sequence[str],
    source: str,
    parameters: Sequence[Any] | None = None,
    *,
    rows: int = ROWS,
    letters: int = LETTERS,
) -> list[tuple[str, ...]]:
    """The columns as texts, none longer than `letters`, of the first rows; what is null is an empty text.

    :param columns: expressions of SQL that we wrote.
    :param source: what follows them, from FROM on.
    """
    chosen = ", ".join(f"pg_catalog.left(({column})::pg_catalog.text, {letters})" for column in columns)
    cursor.execute(f"SELECT {chosen} {source} LIMIT {rows}", parameters)
    return [tuple(str(value or "") for value in row) for row in cursor.fetchall()]
