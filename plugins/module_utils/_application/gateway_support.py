# SPDX-License-Identifier: GPL-3.0-or-later
"""What a revision of the product can do with gateways, as its source says before anything is built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .backend_platform import gateway_program

_OFFERED = re.compile(r'"(min|max)Protocol": (\w+)')
# Since its commit e39b2069 of 2026-02-22 the product takes a gateway's version from the greeting. Revisions
# before look for it in the gateway's configuration schema, and refuse a gateway whose schema has none (422
# "Unable to determine gateway version from runtime metadata").
_FROM_GREETING = "openclaw_connect_metadata"


def support_of(backend: Path) -> dict[str, Any] | None:
    """Protocols that a backend offers to gateways, and whether it learns their versions by the greeting.

    None where its source does not say, as that of another program.
    """
    text = gateway_program(backend)
    offered = {bound: _number(text, value) for bound, value in _OFFERED.findall(text)}
    protocols = [offered.get("min"), offered.get("max")]
    if None in protocols:
        return None
    return {"protocols": protocols, "version_from_greeting": _FROM_GREETING in text}


def _number(text: str, value: str) -> int | None:
    """A number, or the constant of that name."""
    if not value.isdigit():
        named = re.search(rf"^{value}(?:: *\w+)? *= *(\d+)\b", text, re.MULTILINE)
        value = named[1] if named else ""
    return int(value) if value else None
