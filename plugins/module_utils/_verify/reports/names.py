# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the formats of reports. Who only offers them need not load what renders them (formats.py)."""

from __future__ import annotations

REPORTS = ("json", "junit", "prometheus", "nagios", "tap", "markdown", "html")
# What a terminal is shown beside.
FORMATS = ("table", *REPORTS)
