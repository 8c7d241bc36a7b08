# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that somebody else wrote, made fit for a terminal."""

from __future__ import annotations

import unicodedata

from .._terminal import PLAIN


def escape(text: str) -> str:
    r"""JSON as somebody else wrote it, with \u for what a terminal would act upon."""
    if PLAIN.fullmatch(text):
        return text
    return "".join(
        letter
        if letter == "\n" or unicodedata.category(letter)[0] != "C"
        else "".join(f"\\u{unit:04x}" for unit in _units(letter))
        for letter in text
    )


def _units(letter: str) -> list[int]:
    data = letter.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2)]
