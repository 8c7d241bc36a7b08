# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backend calls its platform to gateways."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .._host import reading


def gateway_program(backend: Path) -> str:
    """The source of what speaks with gateways, where it lies since February 2026; else empty."""
    try:
        return reading.read_regular(backend / "app/services/openclaw/gateway_rpc.py")
    except OSError:
        return ""


def platform_of(backend: Path) -> str:
    """The platform that a backend names to gateways.

    Up to April 2026 the product said "python", since then the operating system (its commit 4df25a3d).
    A gateway pins it with the pairing and refuses the device under another one.
    """
    named = re.search(r'"platform": "([a-z0-9]+)"', gateway_program(backend))
    return named[1] if named else os.uname().sysname.lower()
