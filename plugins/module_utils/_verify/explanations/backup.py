# SPDX-License-Identifier: GPL-3.0-or-later
"""What troubles of backups explain."""

from __future__ import annotations

from ..explanation import Match, Row
from .words import kinds

ROWS: tuple[Row, ...] = (
    Row(
        name="repository",
        causes=(Match(at=("backup.repository",)),),
        effects=(
            kinds("backup_failed", "drill_failed", "check_failed"),
            kinds("backup_old", "backup_unchecked", "backup_unproved"),
        ),
        reason="Where the repository does not open, nothing is saved, checked or proved.",
    ),
    Row(
        name="backup",
        causes=(kinds("backup_failed"),),
        effects=(kinds("backup_old"),),
        reason="While backups fail, the last good one grows old.",
    ),
    Row(
        name="drill",
        causes=(kinds("drill_failed", "check_failed"),),
        effects=(kinds("backup_unproved", "backup_unchecked"), kinds("drill_failed", at=("backup.drill",))),
        reason="A drill begins with a check of the repository, and ends with its first failure.",
    ),
)
