# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of an environment file that nobody reads as they were meant."""

from __future__ import annotations

import re

_LINE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def odd_line(text: str) -> tuple[int, str, str] | None:
    """The first line that systemd and the product would not read alike, or not at all.

    :returns: its number, the name that stands in it, and what is wrong with it; never the value.
    """
    names: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        name = line.partition("=")[0].strip() if _LINE.match(line.lstrip()) else ""
        if not name:
            return number, "", "is neither NAME=value nor a comment"
        value = line.partition("=")[2].strip()
        if any(character < " " and character != "\t" for character in value) or "\x7f" in value:
            return number, name, "holds a control character"
        if value[:1] in ("'", '"') and not (len(value) > 1 and value.endswith(value[0])):
            return (
                number,
                name,
                "opens a quotation mark and does not close it: its value goes on in the next line",
            )
        if line.endswith("\\"):
            return number, name, "ends in a backslash: its value goes on in the next line"
        if name in names:
            return number, name, f"is there twice, in line {names[name]} before"
        names[name] = number
    return None
