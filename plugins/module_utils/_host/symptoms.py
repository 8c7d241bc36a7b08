# SPDX-License-Identifier: GPL-3.0-or-later
"""What programs say of their failures, as rows of tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._cures import DECISION, Cure


class Symptom(NamedTuple):
    """What a program says of its failure, and what that means in an operator's terms."""

    pattern: re.Pattern[str]
    kind: str
    cause: str
    remedy: str
    cure: Cure = DECISION


def recognize(text: str, symptoms: Iterable[Symptom], words: Mapping[str, object]) -> Symptom | None:
    """The first symptom in a text, with the words in the braces of its cause and its remedy."""
    for symptom in symptoms:
        if symptom.pattern.search(text):
            return symptom._replace(
                cause=symptom.cause.format(**words),
                remedy=symptom.remedy.format(**words),
                cure=symptom.cure.filled(words),
            )
    return None
