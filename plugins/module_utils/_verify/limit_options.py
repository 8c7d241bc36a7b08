# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of checks that are limits: figures outside of them are a warning, or a failure."""

from __future__ import annotations

from .option_model import Options, option
from .thresholds import parse_range


def pair(prefix: str, warning: str = "", critical: str = "") -> Options:
    """The two limits of a measure."""
    return {
        f"{prefix}_warning": option("str", warning, form=parse_range),
        f"{prefix}_critical": option("str", critical, form=parse_range),
    }
