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


def closed_directory(files: UserFiles, path: Path) -> dict[str, Any] | None:
    """The first directory on the way to a path that may not be entered: `path`, `owner` and `mode`."""
    above = list(reversed(path.parents))

    def look() -> dict[str, Any] | None:
        for parent, child in zip(above, [*above[1:], path], strict=True):
            try:
                child.lstat()
            except PermissionError:
                found = parent.stat()
                return {"path": str(parent), "owner": found.st_uid, "mode": stat.S_IMODE(found.st_mode)}
            except OSError:
                return None
        return None

    answer: dict[str, Any] | None = files.look(look)
    return answer


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
