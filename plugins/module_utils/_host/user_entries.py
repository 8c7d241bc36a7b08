# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a directory of a user's, looked at as that user."""

from __future__ import annotations

import os
from pathlib import Path

from . import reading
from .user_files import UserFiles


def ages(files: UserFiles, directory: Path, now: float) -> list[float]:
    """How old the entries of a directory are, in seconds, those that begin with a dot left out."""

    def look() -> list[float]:
        return [
            now - entry.stat(follow_symlinks=False).st_mtime
            for entry in os.scandir(directory)
            if not entry.name.startswith(".")
        ]

    return [float(age) for age in files.look(look)]


def texts(files: UserFiles, directory: Path, pattern: str) -> dict[str, str]:
    """The regular files of a directory whose names fit the pattern, with their texts."""

    def look() -> dict[str, str]:
        found: dict[str, str] = {}
        for path in sorted(directory.glob(pattern)):
            if path.is_file():
                found[path.name] = reading.read_regular(path)
        return found

    return dict(files.look(look))
