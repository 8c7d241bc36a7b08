# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain tables for a terminal."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ._terminal import clean

_GAP = "  "


def cell(value: Any, limit: int = 60) -> str:
    """A value on one line, without anything a terminal would act upon."""
    if value is None:
        text = ""
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    text = clean(text.replace("\r\n", " ")).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def table(
    headers: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[int] = (), limit: int = 60
) -> str:
    """Aligned columns below their headers."""
    lines = [[cell(value, limit) for value in row] for row in [headers, *rows]]
    widths = [max(width(line[column]) for line in lines) for column in range(len(headers))]

    def line(cells: Sequence[str]) -> str:
        parts = []
        for number, text in enumerate(cells):
            pad = " " * (widths[number] - width(text))
            parts.append(pad + text if number in right else text + pad)
        return _GAP.join(parts).rstrip()

    ruler = _GAP.join("-" * number for number in widths)
    return "\n".join([line(lines[0]), ruler, *(line(cells) for cells in lines[1:])])


def rows_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], truncated: bool = False) -> str:
    """The rows of a query and their number."""
    numbers = [
        position
        for position, name in enumerate(columns)
        if rows
        and all(isinstance(row[name], (int, float)) and not isinstance(row[name], bool) for row in rows)
    ]
    text = table(columns, [[row[name] for name in columns] for row in rows], right=numbers) if columns else ""
    word = "row" if len(rows) == 1 else "rows"
    more = ", more were left out: raise limit" if truncated else ""
    return f"{text}\n({len(rows)} {word}{more})"
