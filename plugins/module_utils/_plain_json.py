# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that somebody else has written."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Its data; ValueError for any fault."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
