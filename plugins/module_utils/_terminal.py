# SPDX-License-Identifier: GPL-3.0-or-later
"""What came from a host, made fit for a terminal: nothing in it moves a cursor, sets a title or turns text.

It is called where text leaves: by every report, table and message. Colours are added after it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# All of category C in the usual case, where nothing has to be looked up letter by letter.
PLAIN = re.compile(r"[\n -~]*")


def clean(text: str) -> str:
    """The text with a blank for every control, format and unassigned character but the line feed."""
    if PLAIN.fullmatch(text):
        return text
    return "".join(
        letter if letter == "\n" or unicodedata.category(letter)[0] != "C" else " "
        for letter in text.replace("\r\n", "\n")
    )


def clean_data(value: Any) -> Any:
    """Plain data with all its texts cleaned, the names in it, too."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): clean_data(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean_data(item) for item in value]
    return value
