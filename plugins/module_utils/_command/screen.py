# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program of somebody else's may do to a terminal that is ours."""

from __future__ import annotations

import codecs
import re
import unicodedata

from .._terminal import PLAIN

# One sequence that a terminal acts upon, or the beginning of one at the end of what has come so far. Those
# that carry a text (titles, the clipboard, device strings) end with BEL or ST.
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|[ -/]+[0-~]|[0-OQ-WY-Z\\`-~])"
)
_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x9c]*\x1b?|[ -/]*)\Z")
# What programs for people need: to move, to erase, to colour, to show a page and go back. Nothing that the
# terminal answers (it would be typed into whatever reads next), no title, no clipboard, no printer.
_HARMLESS = re.compile(
    r"\x1b(?:\[[0-9;:]*[@A-HJ-MPSTXZ`adefmr]|\[\?(?:1|7|12|25|47|1047|1049|2004)[hl]|\[4[hl]"
    r"|[78=>DEM]|[()]B)"
)
_KEPT = frozenset("\n\r\t\b\x07")
_LONGEST = 4096


class Screen:
    """What a program of somebody else's says to a terminal that is ours, as it comes, piece by piece."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""

    def __call__(self, data: bytes) -> bytes:
        """What of it may pass now; the beginning of a sequence waits for its end."""
        text = self._begun + self._decoder.decode(data)
        begun = _BEGUN.search(text)
        self._begun = ""
        if begun is not None:
            text, self._begun = text[: begun.start()], begun[0]
            if len(self._begun) > _LONGEST:
                # It goes on being what it is, and its text is not shown anyway.
                self._begun = self._begun[:2] + ("\x1b" if self._begun.endswith("\x1b") else "")
        parts, place = [], 0
        for found in _SEQUENCE.finditer(text):
            parts.append(_letters(text[place : found.start()]))
            parts.append(found[0] if _HARMLESS.fullmatch(found[0]) else "")
            place = found.end()
        parts.append(_letters(text[place:]))
        return "".join(parts).encode()


def _letters(text: str) -> str:
    if PLAIN.fullmatch(text):
        return text
    return "".join(letter for letter in text if letter in _KEPT or unicodedata.category(letter)[0] != "C")
