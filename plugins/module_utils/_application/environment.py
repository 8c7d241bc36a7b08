# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend's environment file: systemd and the product read it, so it holds only what both read alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from .. import _redaction, _shown_settings
from .._host.deployment_errors import DeploymentError
from .._host.environment_file import REMARK, secret_names

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./\-\[\]]*")
_HEADER = (
    "# Written by the collection openclaw.mission_control; belongs to this release and is replaced with it.\n"
)


def _secret_names_line(names: Collection[str]) -> str:
    """A comment for an environment file: what an operator calls secret, so that whoever reads it knows."""
    return f"{REMARK}{' '.join(sorted(names))}\n" if names else ""


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Every value as the product reads it; an unusable one is refused by name."""
    done = {}
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise _refusal(
                name,
                "is not a valid name of an environment variable",
                "Use capital letters, digits and underscores.",
            )
        if value is None:
            text = ""
        elif isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, (list, tuple)):
            text = ",".join(str(item) for item in value)
        else:
            text = str(value)
        if any(character in text for character in "\n\r\0\\"):
            raise _refusal(
                name, "holds a line break or a backslash, which systemd and the product read differently"
            )
        if "${" in text:
            raise _refusal(name, "holds ${, which the product would try to replace")
        if "'" in text and '"' in text:
            raise _refusal(name, "holds both kinds of quotes")
        if name == "DATABASE_URL" and "%" in text:
            raise _refusal(
                name,
                "holds a %, at which the product's migrations fail",
                "Choose a password of letters and digits.",
            )
        done[name] = text
    return dict(sorted(done.items()))


def _refusal(name: str, what: str, remedy: str = "Choose another value.") -> DeploymentError:
    return DeploymentError(f"Backend setting {name} {what}.", kind="bad_setting", remedy=remedy)


def render(values: Mapping[str, str], secret: Collection[str] = ()) -> str:
    """The file's text.

    :param values: texts by name.
    :param secret: names that are secret; those of which one would not know it are noted in the file.
    """
    unknown = [n for n in secret if n in values and not _shown_settings.holds_secret(n, values[n])]
    return (
        _HEADER
        + _secret_names_line(unknown)
        + "".join(f"{name}={_quoted(text)}\n" for name, text in values.items())
    )


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return f'"{text}"' if "'" in text else f"'{text}'"


def parse(text: str) -> dict[str, str]:
    """Read a file that render() wrote."""
    values = {}
    for line in text.split("\n"):
        name, separator, value = line.partition("=")
        if not separator or line.startswith("#"):
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name] = value
    return values


def secrets(text: str) -> list[str]:
    """What must not be shown of a file that render() wrote."""
    return _redaction.secrets(parse(text), secret_names(text))


def masked(text: str, before: str | None = None, secret: Collection[str] = ()) -> str:
    """The file for a reader: secrets hidden, but it shows where one changed."""
    values = parse(text)
    old = parse(before) if before is not None else {}
    lines = []
    for name, shown in _shown_settings.masked(values, {*secret_names(text), *secret}).items():
        value = values[name]
        if before and shown != value and old.get(name) not in (None, value):
            shown += " (changed)"
        lines.append(f"{name}={shown}\n")
    return "".join(lines)
