# SPDX-License-Identifier: GPL-3.0-or-later
"""What root keeps of a Mission Control on a host."""

from __future__ import annotations

from pathlib import Path

# What root alone writes and reads (0700).
STATE_DIRECTORY = Path("/var/lib/mission-control")
