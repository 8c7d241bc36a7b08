# SPDX-License-Identifier: GPL-3.0-or-later
"""In which release a directory lies, and whether another release has the same in that place."""

from __future__ import annotations

import os
from pathlib import Path

from .._host import reading
from .._host.user_files import UserFiles
from .._plain_json import parse_json


def release_of(cwd: str | None, root: str | None) -> str | None:
    """The release in which a working directory lies."""
    if cwd is None or root is None:
        return None
    # The root itself may be reached through a link; a process's directory never is.
    for base in (root, os.path.realpath(root)):
        prefix = f"{base.rstrip('/')}/releases/"
        if cwd.startswith(prefix):
            return cwd[len(prefix) :].split("/", 1)[0]
    return None


def _fingerprint(release: Path, part: str) -> str:
    try:
        record = parse_json(reading.read_regular(release / "release.json"))
        return str(record["fingerprints"][part])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def same_part(directory: str | Path, release: Path) -> bool:
    """Whether a working directory lies in a part of another release that `release` has unchanged."""
    for base in (release.parent, release.parent.resolve()):
        try:
            other, part, *_rest = Path(directory).relative_to(base).parts
        except ValueError:
            continue
        found = _fingerprint(base / other, part)
        return bool(found) and found == _fingerprint(release, part)
    return False


def current_release(files: UserFiles, root: Path) -> Path | None:
    """The directory of the release that `current` points to, as the user sees it whose files these are."""
    try:
        return files.resolved(root / "current")
    except OSError:
        return None
