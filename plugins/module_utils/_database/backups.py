# SPDX-License-Identifier: GPL-3.0-or-later
"""The backups of a database that there are: their names, and which are too many."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from .._times.record_stamps import name_stamp

_NAME = re.compile(r"before-migration-(\d{8}T\d{6}Z)-([A-Za-z0-9_.+]+)\.dump")
_EMPTY = "empty"
# Schemas that a restoration left beside the application's own; no part of later backups.
KEPT = "public_before_"


def name_of(current: list[str], moment: float) -> str:
    """A backup's name tells when it was taken and which schema is in it."""
    schema = "+".join(re.sub(r"[^A-Za-z0-9_]", "_", revision) for revision in current) or _EMPTY
    return f"before-migration-{name_stamp(moment)}-{schema}.dump"


def schema_of(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return match[2] if match else ""


def backups(directory: Path) -> list[Path]:
    """The backups of this module, newest first; other files are nobody's business."""
    if not directory.is_dir():
        return []
    return sorted((path for path in directory.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def surplus(directory: Path, keep: int, protect: Collection[str] = ()) -> list[Path]:
    return [path for path in backups(directory)[max(keep, 1) :] if str(path) not in protect]
