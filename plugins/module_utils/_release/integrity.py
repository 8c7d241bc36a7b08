# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part of a release consists of, written down in it when it was made: later changes show."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .._host import reading
from .._host.files import file_digest
from .._plain_json import parse_json

# In the tree itself, so that it goes wherever the tree goes.
NAME = ".files.json"
# A build has thousands of files.
MOST = 16 << 20
# Pages made beforehand, which the server may make anew.
_MADE_ANEW = re.compile(r"\.next/server/(app|pages)/.*\.(html|rsc|meta|body|json)$")


def changes(tree: Path) -> tuple[list[str], list[str]]:
    """Files that were changed, and those that are missing or cannot be read; none where nothing is recorded.

    What is there besides does not count.
    """
    try:
        recorded = parse_json(reading.read_regular(tree / NAME, MOST))
    except (OSError, ValueError):
        return [], []
    altered: list[str] = []
    lost: list[str] = []
    for name, entry in recorded.items() if isinstance(recorded, dict) else ():
        path = tree / name
        try:
            same = _same(path, entry)
        except OSError:
            lost.append(name)
            continue
        except (TypeError, ValueError):
            # Nothing that was written here.
            same = False
        if not same and not _MADE_ANEW.match(name):
            altered.append(name)
    return altered, lost


def _same(path: Path, entry: list[Any]) -> bool:
    """By size and time, else by content."""
    status = path.lstat()
    if len(entry) == 1:
        return stat.S_ISLNK(status.st_mode) and str(path.readlink()) == entry[0]
    size, modified, digest = entry
    if not stat.S_ISREG(status.st_mode) or status.st_size != size or not status.st_mode & stat.S_IRUSR:
        return False
    return bool(status.st_mtime_ns == modified or file_digest(path) == digest)


def foreign(release: Path, parts: Sequence[str]) -> tuple[str, int] | None:
    """The first file of the release that belongs to somebody else than us, and to whom."""
    for path in (str(release), *(below for part in parts for below in _below(release / part))):
        try:
            uid = os.lstat(path).st_uid
        except OSError:
            continue
        if uid != os.geteuid():
            return os.path.relpath(path, release), uid
    return None


def _below(directory: Path) -> Iterator[str]:
    """A directory and all below it, as far as it may be entered."""
    yield str(directory)
    for place, directories, names in os.walk(directory):
        yield from (os.path.join(place, name) for name in (*directories, *names))  # noqa: PTH118


def told(altered: Sequence[str], lost: Sequence[str]) -> Iterator[str]:
    """The changes in words."""
    if altered:
        yield f"{some(altered)} {'was' if len(altered) == 1 else 'were'} changed"
    if lost:
        yield f"{some(lost)} {'is' if len(lost) == 1 else 'are'} missing or cannot be read"


def owned(found: tuple[str, int] | None) -> Iterator[str]:
    """Whose a file is, in words."""
    if found is not None:
        name, uid = found
        yield f"{'the release' if name == '.' else name} belongs to the user number {uid}"


def some(names: Sequence[str], most: int = 3) -> str:
    """So many names as stand in a sentence."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
