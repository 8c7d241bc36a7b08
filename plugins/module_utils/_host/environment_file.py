# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment files as systemd reads them."""

from __future__ import annotations

# A comment that lists what an operator calls secret, so that whoever reads the file knows.
REMARK = "# Secret: "


def secret_names(text: str) -> tuple[str, ...]:
    """The names that such a comment in an environment file lists."""
    lines = (line for line in text.split("\n") if line.startswith(REMARK))
    return tuple(name for line in lines for name in line.removeprefix(REMARK).split())


def parse_environment_file(text: str) -> dict[str, str]:
    """Read a file as systemd reads EnvironmentFile=.

    Comments start with # or ; at the start of a line, a backslash continues a line or protects the
    next character, single and double quotes group, and blanks around an unquoted value are dropped.
    """
    result: dict[str, str] = {}
    position, length = 0, len(text)
    while position < length:
        while position < length and text[position] in " \t\r\n":
            position += 1
        if position >= length:
            break
        if text[position] in "#;":
            while position < length and text[position] != "\n":
                if text[position] == "\\":
                    position += 1
                position += 1
            continue
        end = position
        while end < length and text[end] not in "=\n":
            end += 1
        name = text[position:end].strip()
        if end >= length or text[end] == "\n":
            position = end + 1
            continue
        value, position = _environment_value(text, end + 1)
        if name:
            result[name] = value
    return result


def _environment_value(text: str, position: int) -> tuple[str, int]:
    length = len(text)
    value: list[str] = []
    kept = 0  # how much of the value an unquoted trailing blank may not take away
    while position < length and text[position] in " \t":
        position += 1
    while position < length and text[position] != "\n":
        character = text[position]
        if character == "\\":
            position += 1
            if position < length and text[position] != "\n":
                value.append(text[position])
                kept = len(value)
        elif character == "'" or character == '"':
            position += 1
            while position < length and text[position] != character:
                if character == '"' and text[position] == "\\" and position + 1 < length:
                    position += 1
                    if text[position] == "\n":
                        position += 1
                        continue
                    if text[position] not in '"\\`$':
                        value.append("\\")
                value.append(text[position])
                position += 1
            kept = len(value)
        else:
            value.append(character)
            if character not in " \t\r":
                kept = len(value)
        position += 1
    return "".join(value[:kept]), position + 1
