# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings for a reader: their names, and their values where these are not secret."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ._redaction import MASK, Redactor, is_random, is_secret, secret_starts, secrets


def holds_secret(name: str, value: str, more: Collection[str] = ()) -> bool:
    """Whether a setting's value is secret, or a part of it."""
    return bool(value) and (is_secret(name, more) or bool(secrets({name: value}, more)))


def masked(values: Mapping[str, str], more: Collection[str] = ()) -> dict[str, str]:
    """Settings for a reader: what is secret is hidden, wherever it stands."""
    redactor = Redactor(secrets(values, more))
    return {
        name: MASK if value and (is_secret(name, more) or is_random(name, value)) else redactor.text(value)
        for name, value in values.items()
    }


def shown(name: str, value: str, more: Collection[str] = ()) -> str:
    """A setting for a reader."""
    return masked({name: value}, more)[name]


def without_settings(text: str) -> str:
    """The text of a unit or the like, without the rest of a line from a secret setting or option on."""
    return Redactor().text("".join(map(_hide_rest, text.splitlines(keepends=True))))


def _hide_rest(line: str) -> str:
    for start in secret_starts(line):
        return line[: start.end()] + MASK + ("\n" if line.endswith("\n") else "")
    return line
