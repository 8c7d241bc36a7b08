# SPDX-License-Identifier: GPL-3.0-or-later
"""The document itself, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def render(document: Mapping[str, Any]) -> str:
    """The document as JSON."""
    return json.dumps(document, indent=2, sort_keys=False) + "\n"
