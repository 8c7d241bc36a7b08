# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of the formats of reports. Who only offers them need not load what renders them (formats.py)."""

from __future__ import annotations

REPORTS = ("json", "junit", "prometheus", "nagios", "tap", "markdown", "html")
# What a terminal is shown beside.
FORMATS = ("table", *REPORTS)
