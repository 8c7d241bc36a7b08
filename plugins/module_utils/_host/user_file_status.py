# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a file of a user's is there, and of which kind and age it is: looked at as user_files does."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .user_files import UserFiles


@dataclass(frozen=True)
class Status:
    """What is known of a file: its kind, its mode, and when it was changed (seconds since the epoch)."""

    regular: bool
    directory: bool
    mode: int
    changed: float


def is_there(files: UserFiles, path: Path) -> bool:
    """Whether anything bears that name, a dead link too. Raises OSError where that cannot be seen."""

    def look() -> bool:
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    return bool(files.look(look))


def status_of(files: UserFiles, path: Path) -> Status:
    """What the path leads to."""

    def look() -> list[Any]:
        found = path.stat()
        mode = found.st_mode
        return [stat.S_ISREG(mode), stat.S_ISDIR(mode), stat.S_IMODE(mode), found.st_mtime]

    return Status(*files.look(look))
